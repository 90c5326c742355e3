"""Starts the router's program on a configuration of the test's own, and speaks just enough SMPP to
it: a client and a supplier on plain sockets, so that nothing of the router stands on both sides."""

import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# A bound on everything that is waited for; never a fixed sleep.
DEADLINE_S = 20.0

BIND_TRANSCEIVER = 0x09
SUBMIT_SM = 0x04
DELIVER_SM = 0x05
UNBIND = 0x06
ENQUIRE_LINK = 0x15
RESP = 0x80000000


def free_port():
    """A port of 127.0.0.1 that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listening(port):
    """Whether anybody accepts on 127.0.0.1:port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, what):
    """Polls; fails with `what` when the bound is reached."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.01)


class Files:
    """A directory with a working configuration; `write` replaces or adds a file."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="sy-test-")
        os.chmod(self.path, 0o755)
        self.smpp_port = free_port()
        self.admin_port = free_port()
        self.supplier_port = free_port()
        self.write("mt.csv", "plan,prefix,targets\ndefault,44,alpha\n")
        self.write("mo.csv", "number,targets\n447700900123,acme\n")
        self.write_root()

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
            file.write(text)
        return os.path.join(self.path, name)

    def write_root(self, **changes):
        """The root file; each key of `changes` replaces a section's lines or adds a section."""
        sections = {
            "runtime": f"[runtime]\nworkers = [{min(os.sched_getaffinity(0))}]\n"
            "connections_max = 64\nmessages_max = 1024\n"
            'drain = "5s"\n',
            "smpp": f'[smpp]\nlisten = ["127.0.0.1:{self.smpp_port}"]\n',
            "routes": '[routes]\nmt = "mt.csv"\nmo = "mo.csv"\nerrors = ""\n',
            "admin": f'[admin]\nlisten = "127.0.0.1:{self.admin_port}"\n',
            "log": "",
            "acme": '[[customer]]\nname = "acme"\nsystem_id = "acme"\npassword = "secret"\n',
            "alpha": f'[[supplier]]\nname = "alpha"\nhost = "127.0.0.1:{self.supplier_port}"\n'
            'system_id = "sy"\npassword = "secret"\nreconnect_min = "50ms"\n',
        }
        sections.update(changes)
        return self.write("switchyard.toml", "\n".join(sections.values()))

    @property
    def root(self):
        return os.path.join(self.path, "switchyard.toml")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Router:
    """The program, running; systemd's socket tells when it is ready."""

    def __init__(self, program, files, prefix=()):
        self.files = files
        self.notify_path = os.path.join(files.path, "notify")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if os.path.exists(self.notify_path):
            os.unlink(self.notify_path)
        self.notify.bind(self.notify_path)
        self.notify.settimeout(DEADLINE_S)
        self.notified = []
        self.stderr_path = os.path.join(files.path, "stderr")
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                [*prefix, program, "run", "--config", files.root],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env={**os.environ, "NOTIFY_SOCKET": self.notify_path},
            )

    def wait_notified(self, word):
        """Reads systemd's messages until one begins a line with `word`."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            readable, _, _ = select.select([self.notify], [], [], 0.05)
            if readable:
                message = self.notify.recv(65536).decode()
                self.notified.append(message)
                if any(line.startswith(word) for line in message.split("\n")):
                    return message
            elif self.process.poll() is not None:
                break
        raise AssertionError(f"no {word} from the router: {self.notified} {self.log()}")

    def wait_ready(self):
        self.wait_notified("READY=1")
        return self

    def log(self):
        with open(self.stderr_path, encoding="utf-8") as file:
            return file.read()

    def wait_log(self, text, count=1):
        wait_until(lambda: self.log().count(text) >= count, f"{text!r} in {self.log()}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self):
        return self.process.wait(timeout=DEADLINE_S)

    def get(self, page):
        """Status and body of a page of the admin port."""
        url = f"http://127.0.0.1:{self.files.admin_port}{page}"
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, line_start):
        """The value of the sample whose line begins so; None if there is none."""
        for line in self.get("/metrics")[1].split("\n"):
            if line.startswith(line_start):
                return float(line.rsplit(" ", 1)[1])
        return None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.notify.close()


def pdu(command, status, sequence, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def c_string(text):
    return text.encode() + b"\0"


class Link:
    """One SMPP connection; whole PDUs in and out."""

    def __init__(self, stream):
        self.stream = stream
        self.stream.settimeout(DEADLINE_S)
        self.sequence = 0

    def send(self, command, body=b"", status=0, sequence=None):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        self.stream.sendall(pdu(command, status, sequence, body))
        return sequence

    def octets(self, count):
        data = b""
        while len(data) < count:
            part = self.stream.recv(count - len(data))
            if not part:
                raise EOFError("the router closed the connection")
            data += part
        return data

    def receive(self):
        """(command_id, command_status, sequence_number, body); enquire_link is answered here."""
        while True:
            length, command, status, sequence = struct.unpack(">IIII", self.octets(16))
            body = self.octets(length - 16)
            if command == ENQUIRE_LINK:
                self.send(ENQUIRE_LINK | RESP, sequence=sequence)
                continue
            return command, status, sequence, body

    def close(self):
        self.stream.close()


def submit_body(destination, text, source="447700900001", registered_delivery=0):
    return (
        b"\0"
        + b"\1\1"
        + c_string(source)
        + b"\1\1"
        + c_string(destination)
        + b"\0\0\0\0\0"
        + bytes([registered_delivery, 0, 0, 0, len(text)])
        + text
    )


class Client(Link):
    """A customer's session."""

    def __init__(self, port):
        super().__init__(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S))

    def bind(self, system_id="acme", password="secret"):
        body = c_string(system_id) + c_string(password) + c_string("") + b"\x34\0\0" + c_string("")
        self.send(BIND_TRANSCEIVER, body)
        command, status, _, _ = self.receive()
        assert command == BIND_TRANSCEIVER | RESP, hex(command)
        return status

    def submit(self, destination, text=b"hello"):
        """command_status and message_id of the answer."""
        sequence = self.send(SUBMIT_SM, submit_body(destination, text))
        command, status, answered, body = self.receive()
        assert command == SUBMIT_SM | RESP and answered == sequence, (hex(command), answered)
        return status, body.rstrip(b"\0").decode()


class Supplier:
    """Listens where the router looks for its supplier; the test moves it on by hand."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.listener.settimeout(DEADLINE_S)
        self.next_id = 0

    def accept_bind(self):
        stream, _ = self.listener.accept()
        link = Link(stream)
        command, _, sequence, _ = link.receive()
        assert command == BIND_TRANSCEIVER, hex(command)
        link.send(command | RESP, c_string("smsc"), sequence=sequence)
        return link

    def answer_submit(self, link, status=0):
        """Answers the next submit_sm and returns its body."""
        command, _, sequence, body = link.receive()
        assert command == SUBMIT_SM, hex(command)
        self.next_id += 1
        message_id = c_string(f"id{self.next_id}") if status == 0 else b""
        link.send(command | RESP, message_id, status=status, sequence=sequence)
        return body

    def close(self):
        self.listener.close()
