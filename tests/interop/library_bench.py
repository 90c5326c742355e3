"""What the tests between SMPP libraries share: the router's files, the bench that all of it stands on,
and how a PDU that a library reports is read.
"""

import os

import lab as lab_module
from capture import Capture
from lab import Lab, ROUTER_ADDRESS
from router import PORT, Router
from smpp_peer import brief, Esme, Peer, ROK, Smsc, number, octets, text_of

TOML = """
[runtime]
workers = {workers}
[smpp]
listen = ["0.0.0.0:2775", "[::]:2775"]
enquire_link = "1s"
session_init = "2s"
[routes]
mt = "mt.csv"
mo = "mo.csv"
[[customer]]
name = "acme"
system_id = "acme"
password = "secret"
plan = "default"
binds = 8
window = 50
allow = ["10.77.0.0/24", "fd77::/64"]
numbers = ["447700900123"]
[[customer]]
name = "idle"
system_id = "idle"
password = "secret2"
numbers = ["447700900555"]
[[customer]]
name = "far"
system_id = "far"
password = "secret3"
allow = ["192.0.2.0/24"]
[[supplier]]
name = "alpha"
host = "{alpha}:2776"
system_id = "sy"
password = "pass-a"
bind = "transceiver"
binds = 1
window = 20
message_id = "hex-decimal"
reconnect_min = "100ms"
reconnect_max = "500ms"
[[supplier]]
name = "beta"
host = "{beta}:2777"
system_id = "sy"
password = "pass-b"
bind = "pair"
binds = 1
window = 20
message_id = "as-is"
reconnect_min = "100ms"
reconnect_max = "500ms"
# Nobody listens there: this one comes to us (outbind), from beta's host.
[[supplier]]
name = "gamma"
host = "{beta}:2778"
outbind_from = ["{beta}"]
system_id = "sy"
password = "pass-b"
bind = "transceiver"
reconnect_min = "1s"
reconnect_max = "5s"
"""

MT = """plan,prefix,sender,text,priority,action,targets,select
*,,,(?i)forbidden phrase,1,reject:RSUBMITFAIL,,
default,44,,,100,route,alpha,
default,49,,,100,route,beta,
default,49,,(?i)\\bcode \\d{6}\\b,10,route,alpha,
default,49,^BANK$,,20,route,alpha,
default,33,,,100,route,alpha > beta,order
default,46,,,100,route,alpha:50 | beta:50,weight
default,31,,,100,route,gamma,
"""

MO = """number,keyword,targets,copy_to,reply
447700900123,,acme,,
447700900555,,idle,,
447700900666,balance,acme,idle,"Account {1}: thank you, {sender}"
"""

TEXT = "Hello from a real library"


class Bench:
    """The router with both suppliers bound and one customer peer."""

    def __init__(self, options):
        self.modules = lab_module.npm_modules(options.build)
        peers = f"{options.customer}-{options.alpha}-{options.beta}"
        self.lab = Lab(os.path.join(options.build, f"lab-{peers}-{options.device}"), options.device)
        self.capture = Capture(self.lab, [PORT, 2776, 2777])
        alpha_host, beta_host = self.lab.host("alpha"), self.lab.host("beta")
        self.customer = Peer(self.lab, self.lab.host("customer"), options.customer, self.modules)
        self.alpha = Smsc(Peer(self.lab, alpha_host, options.alpha, self.modules), 2776,
                          "sy", "pass-a", 0xA0001000, "hex-decimal")
        self.beta = Smsc(Peer(self.lab, beta_host, options.beta, self.modules), 2777,
                         "sy", "pass-b", 5000)
        workers = [0, 1] if (os.cpu_count() or 1) > 1 else [0]
        self.toml = TOML.format(alpha=alpha_host.address, beta=beta_host.address, workers=workers)
        self.router = Router(self.lab, options.router, self.toml, {"mt.csv": MT, "mo.csv": MO})
        self.account = ("acme", "secret")  # that it binds as
        self.esme = None  # the customer's long-lived transceiver

    def start(self):
        complaint = self.router.check()
        self.lab.check("switchyard check accepts the configuration", not complaint, complaint)
        self.router.start()
        self.alpha.wait_bound(1)
        self.beta.wait_bound(2)
        response = self.bind_transceiver()
        self.lab.check_equal("transceiver bind accepted", response["command_status"], ROK)

    def settle(self):
        """Between scenarios: nothing came that nobody asked for, and the next one starts clean."""
        strays = []
        for peer in (self.customer, self.alpha.peer, self.beta.peer):
            strays += peer.take_unclaimed("submit_sm", "submit_sm_resp", "deliver_sm", "data_sm",
                                          "data_sm_resp", "deliver_sm_resp", "generic_nack")
        self.lab.check("no PDU that nobody asked for", not strays,
                       "\n".join(brief(event) for event in strays))
        self.alpha.policy = self.beta.policy = lambda pdu: ROK
        for conn in [conn for conn in self.customer.open if conn != self.esme.conn]:
            self.customer.command("close", conn=conn)
        if self.esme.conn not in self.customer.open:
            self.bind_transceiver()

    def bind_transceiver(self):
        self.esme = self.connect()
        return self.esme.bind("transceiver", *self.account)

    def connect(self):
        return Esme(self.customer, ROUTER_ADDRESS, PORT)

    def submit(self, destination, message=TEXT, esme=None, **fields):
        """Sends a submit_sm; its sequence number. The message is text or octets."""
        if isinstance(message, str):
            message = message.encode("latin-1")
        return self.customer.send((esme or self.esme).conn, "submit_sm", **{
            "service_type": "", "source_addr_ton": 1, "source_addr_npi": 1,
            "source_addr": "447700900123", "dest_addr_ton": 1, "dest_addr_npi": 1,
            "destination_addr": destination, "esm_class": 0, "registered_delivery": 0,
            "data_coding": 0, "short_message": {"octets": message.hex()}, **fields})

    def answer_to(self, sequence, esme=None, seconds=5.0):
        return (esme or self.esme).expect("submit_sm_resp", seconds, sequence_number=sequence)

    def send_and_take(self, smsc, destination, message=TEXT, **fields):
        """Submits; the response to the customer and the submit_sm that the supplier got."""
        sequence = self.submit(destination, message, **fields)
        got = smsc.expect_submit(destination_addr=destination)
        return self.answer_to(sequence), got


def short_octets(pdu):
    return octets(pdu["short_message"]) if pdu.get("short_message") else b""


def payload_of(pdu):
    """The octets of the message, wherever they are."""
    if short_octets(pdu):
        return short_octets(pdu)
    held = pdu["message_payload"]
    while isinstance(held, dict) and "message" in held:
        held = held["message"]
    return octets(held)


def check_receipt(b, name, receipt, response, submit, state, stat, error=0):
    text = short_octets(receipt).decode("latin-1")
    customer_id = response["message_id"]
    b.lab.check_equal(f"{name}: esm_class says receipt", receipt["esm_class"] & 0x3C, 0x04)
    b.lab.check(f"{name}: the text has the id that the customer was given",
                text.startswith(f"id:{customer_id} "), f"{text}\nid {customer_id}")
    b.lab.check(f"{name}: the text says {stat} and the error", f"stat:{stat} err:{error:03} " in text, text)
    b.lab.check_equal(f"{name}: receipted_message_id", text_of(receipt.get("receipted_message_id", "")),
                      customer_id)
    b.lab.check_equal(f"{name}: message_state", number(receipt.get("message_state", -1)), state)
    b.lab.check_equal(f"{name}: source is the destination of the message",
                      (receipt["source_addr_ton"], receipt["source_addr_npi"], receipt["source_addr"]),
                      submit["to"])
    b.lab.check_equal(f"{name}: destination is the sender of the message",
                      (receipt["dest_addr_ton"], receipt["dest_addr_npi"], receipt["destination_addr"]),
                      submit["from"])
