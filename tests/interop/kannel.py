"""Kannel as a customer: bearerbox with one SMPP link, smsbox with its sendsms interface, and the HTTP
server that smsbox reports to. Message in by HTTP, submit_sm out; deliver_sm in, HTTP request out.
"""

import http.server
import queue
import socketserver
import threading
import urllib.error
import urllib.parse
import urllib.request

from lab import LAB_ADDRESS, Missing, ROUTER_ADDRESS, wait_until

HTTP_PORT = 8000

CONFIGURATION = """
group = core
admin-port = 13000
smsbox-port = 13001
admin-password = admin
status-password = admin
admin-allow-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
sms-resend-freq = 1
sms-combine-concatenated-mo = true

{links}
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 13013

group = sendsms-user
username = test
password = test
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "http://{lab}:{http}/mo?from=%p&to=%P&text=%a&coding=%c&octets=%b"
max-messages = 0
catch-all = true
"""

LINK = """
group = smsc
smsc = smpp
smsc-id = switchyard
host = {router}
{mode}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
interface-version = {version}
enquire-link-interval = {enquire}
reconnect-delay = 1
max-pending-submits = 10
source-addr-autodetect = true
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1
alt-dcs = false
"""

# What differs between the links of a bind type. Kannel wants a group each for a transmitter and a
# receiver; one smsc-id makes receipts find the messages that went out by the other.
MODES = {"transceiver": ["port = 2775\ntransceiver-mode = true"],
         "pair": ["port = 2775", "receive-port = 2775"]}

# dlr-mask values of Kannel's own user guide.
DLR_DELIVERED, DLR_FAILED, DLR_ACCEPTED, DLR_REFUSED = 1, 2, 8, 16
DLR_EXPIRED = DLR_FAILED | 32


class Reports:
    """The HTTP server that smsbox calls: each request's path and query go into a queue."""

    def __init__(self, port):
        reports = self
        self.queue = queue.Queue()
        self.unclaimed = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                fields = urllib.parse.parse_qs(parts.query, keep_blank_values=True, encoding="latin-1")
                reports.queue.put({"path": parts.path, **{key: value[0] for key, value in fields.items()}})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_arguments):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server((LAB_ADDRESS, port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def expect(self, path, seconds=10.0, **fields):
        """Takes the first request for that path with these query fields."""
        def take():
            while not self.queue.empty():
                self.unclaimed.append(self.queue.get())
            for index, request in enumerate(self.unclaimed):
                if request["path"] == path and all(request.get(k) == v for k, v in fields.items()):
                    return self.unclaimed.pop(index)
            return None
        try:
            return wait_until(f"smsbox asks for {path} {fields}", take, seconds)
        except Missing as error:
            raise Missing(f"{error}; unclaimed: {self.unclaimed[-5:]}") from None


class Kannel:
    def __init__(self, lab, name, mode, account, http_port, enquire_link_seconds=1, version=34):
        system_id, password = account
        self.lab, self.host, self.mode, self.http_port = lab, lab.host(name), mode, http_port
        self.name, self.file = name, lab.path(f"{name}.conf")
        with open(self.file, "w") as file:
            links = "".join(LINK.format(router=ROUTER_ADDRESS, mode=each, system_id=system_id,
                                        password=password, enquire=enquire_link_seconds,
                                        version=version)
                            for each in MODES[mode])
            file.write(CONFIGURATION.format(lab=LAB_ADDRESS, links=links, http=http_port))
        self.processes = []

    def start(self, online=True):
        self.processes = [self.host.start(f"{self.name}-bearerbox", ["bearerbox", "-v", "0", self.file])]
        wait_until("bearerbox serves its status", self._status)
        if online:
            self.wait_online()
        self.processes.append(self.host.start(f"{self.name}-smsbox", ["smsbox", "-v", "0", self.file]))
        wait_until("smsbox is connected", lambda: "smsbox:" in self._status())
        wait_until("sendsms answers", lambda: self._get(13013, "/") is not None)

    def _get(self, port, path):
        try:
            with urllib.request.urlopen(f"http://{self.host.address}:{port}{path}", timeout=5) as answer:
                return answer.read().decode("latin-1")
        except urllib.error.HTTPError as error:
            return error.read().decode("latin-1")
        except OSError:
            return None

    def _status(self):
        return self._get(13000, "/status.txt?password=admin") or ""

    def wait_online(self, seconds=15):
        """Until every link of its configuration is bound."""
        wanted = len(MODES[self.mode])
        wait_until(f"{self.name} has {wanted} links online",
                   lambda: self._status().count("(online") == wanted, seconds)

    def send(self, to, text=None, octets=None, dlr=None, **options):
        """The sendsms interface. `dlr` names the message in the calls to its dlr-url."""
        query = {"username": "test", "password": "test", "from": "447700900123", "to": to, **options}
        if text is not None:
            query |= {"text": text.encode("utf-8"), "charset": "UTF-8"}
        else:
            query["text"] = octets
        if dlr:
            query |= {"dlr-mask": "31", "dlr-url":
                      f"http://{LAB_ADDRESS}:{self.http_port}/dlr?name={dlr}&type=%d&text=%A&id=%F"}
        answer = self._get(13013, "/cgi-bin/sendsms?" + urllib.parse.urlencode(query))
        if answer is None or not answer.startswith(("0:", "3:", "Sent")):
            raise Missing(f"sendsms takes the message: {answer}")

    def stop(self):
        """smsbox, then bearerbox, each with the signal that it takes as a wish to end."""
        return [self.lab.stop(process, seconds=20) for process in reversed(self.processes)]
