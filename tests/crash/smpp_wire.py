"""The few SMPP 3.4 PDUs that the crash test's peers speak, written from the specification and sharing
no code with the router."""

import re
import struct

BIND_TRANSCEIVER, SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x09, 0x04, 0x05, 0x06, 0x15
RESPONSE = 0x80000000
ROK = 0
RMSGQFUL = 0x14
RSUBMITFAIL = 0x45
RTHROTTLED = 0x58
RECEIPT_CLASS = 0x04


def pdu(command, status, sequence, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def c_string(text):
    return text.encode("ascii") + b"\0"


def bind(system_id, password, sequence):
    body = c_string(system_id) + c_string(password) + c_string("") + b"\x34\0\0" + c_string("")
    return pdu(BIND_TRANSCEIVER, ROK, sequence, body)


def message(command, sequence, source, destination, text, esm_class=0, registered_delivery=0):
    octets = text.encode("ascii")
    body = (c_string("") + b"\1\1" + c_string(source) + b"\1\1" + c_string(destination)
            + bytes([esm_class, 0, 0]) + c_string("") + c_string("")
            + bytes([registered_delivery, 0, 0, 0, len(octets)]) + octets)
    return pdu(command, ROK, sequence, body)


def cut(buffer):
    """Takes whole PDUs off a bytearray: (command, status, sequence, body) each."""
    out = []
    at = 0
    while len(buffer) - at >= 16:
        length, command, status, sequence = struct.unpack_from(">IIII", buffer, at)
        if length < 16 or length > 70_000:
            raise ValueError(f"command_length {length}")
        if len(buffer) - at < length:
            break
        out.append((command, status, sequence, bytes(buffer[at + 16:at + length])))
        at += length
    del buffer[:at]
    return out


def take_c_string(body, at):
    end = body.index(0, at)
    return body[at:end].decode("ascii"), end + 1


def parse_message(body):
    """(source, destination, esm_class, text) of a submit_sm or deliver_sm."""
    _, at = take_c_string(body, 0)
    source, at = take_c_string(body, at + 2)
    destination, at = take_c_string(body, at + 2)
    esm_class = body[at]
    _, at = take_c_string(body, at + 3)
    _, at = take_c_string(body, at)
    length = body[at + 4]
    return source, destination, esm_class, body[at + 5:at + 5 + length].decode("ascii")


def receipt_text(message_id):
    return (f"id:{message_id} sub:001 dlvrd:001 submit date:2611260900 done date:2611260901 "
            "stat:DELIVRD err:000 text:x")


def receipt_id(text):
    return re.match(r"id:(\S+) .*stat:DELIVRD", text).group(1)
