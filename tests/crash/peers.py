"""Customers and suppliers that live through the router's deaths, and the books that both keep."""

import asyncio
import random

import smpp_wire as wire

RECONNECT_S = 0.05


class Books:
    """What was said to whom, over all of the router's lives."""

    def __init__(self):
        self.submitted = set()      # tokens that customers sent
        self.acknowledged = {}      # our id -> token: submit_sm_resp OK
        self.refused = {}           # status -> count
        self.unanswered = set()     # tokens whose link died before the answer
        self.at_supplier = {}       # token -> times that a supplier got it
        self.supplier_accepted = {}  # supplier's id -> token: answered OK, as far as the supplier knows
        self.receipts_due = {}      # supplier's id -> supplier: not answered OK by the router yet
        self.home = {}              # our id -> times that its receipt came
        self.sent_twice = set()
        self.refused_at_first = 0
        self.problems = []


class Link:
    """One TCP connection: sends PDUs, hands over those that come."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.buffer = bytearray()
        self.sequence = 0

    def next_sequence(self):
        self.sequence += 1
        return self.sequence

    def send(self, octets):
        if not self.writer.is_closing():
            self.writer.write(octets)

    async def pdus(self):
        """Until the connection ends."""
        while True:
            try:
                octets = await self.reader.read(65536)
            except OSError:
                return
            if not octets:
                return
            self.buffer += octets
            for one in wire.cut(self.buffer):
                yield one

    def close(self):
        self.writer.close()

    def abort(self):
        """Without a word to the other side, and without what is still to be written."""
        self.writer.transport.abort()


class Customer:
    """Binds again and again; keeps its window full; is away for a while now and then."""

    def __init__(self, books, name, port, window, seed):
        self.books, self.name, self.port, self.window = books, name, port, window
        self.random = random.Random(seed)
        self.open = {}  # sequence -> token
        self.count = 0
        self.sending = True
        self.stops_away = False  # at the end nobody is away

    async def run(self):
        while True:
            try:
                link = Link(*await asyncio.open_connection("127.0.0.1", self.port))
            except OSError:
                await asyncio.sleep(RECONNECT_S)
                continue
            try:
                await self.session(link)
            finally:
                link.close()
            self.books.unanswered.update(self.open.values())
            self.open.clear()
            away = 0 if self.stops_away else self.random.choice([0, 0, 0, 0.3, 1.0])
            await asyncio.sleep(RECONNECT_S + away)

    async def session(self, link):
        link.send(wire.bind(self.name, "secret", link.next_sequence()))
        leaves_at = self.random.expovariate(1 / 2000)
        async for command, status, sequence, body in link.pdus():
            if command == wire.BIND_TRANSCEIVER | wire.RESPONSE:
                if status != wire.ROK:
                    return
            elif command == wire.SUBMIT | wire.RESPONSE:
                self.answered(status, sequence, body)
            elif command == wire.DELIVER:
                self.receipt(link, sequence, body)
            elif command in (wire.ENQUIRE, wire.UNBIND):
                link.send(wire.pdu(command | wire.RESPONSE, wire.ROK, sequence))
            leaves_at -= 1
            if leaves_at < 0 and not self.stops_away and not self.open:
                return
            self.fill(link, leaves_at)

    def fill(self, link, leaves_at):
        while self.sending and leaves_at >= 0 and len(self.open) < self.window:
            self.count += 1
            token = f"{self.name}-{self.count}"
            sequence = link.next_sequence()
            self.open[sequence] = token
            self.books.submitted.add(token)
            link.send(wire.message(wire.SUBMIT, sequence, "447700900001", f"4477{self.count:08d}",
                                   token, registered_delivery=1))

    def answered(self, status, sequence, body):
        token = self.open.pop(sequence, None)
        if token is None:
            self.books.problems.append(f"{self.name}: an answer to nothing, sequence {sequence}")
        elif status != wire.ROK:
            self.books.refused[status] = self.books.refused.get(status, 0) + 1
        else:
            message_id, _ = wire.take_c_string(body, 0)
            if message_id in self.books.acknowledged:
                self.books.problems.append(f"id {message_id} was given twice")
            self.books.acknowledged[message_id] = token

    def receipt(self, link, sequence, body):
        _, _, esm_class, text = wire.parse_message(body)
        if esm_class & 0x3C != wire.RECEIPT_CLASS:
            self.books.problems.append(f"not a receipt: {text}")
        message_id = wire.receipt_id(text)
        self.books.home[message_id] = self.books.home.get(message_id, 0) + 1
        link.send(wire.pdu(wire.DELIVER | wire.RESPONSE, wire.ROK, sequence, b"\0"))


class Supplier:
    """Answers at once, some with a refusal; sends each receipt some time later by any of its links, and again until the
    router has answered it."""

    def __init__(self, books, name, seed, delay_s, refuses=0):
        self.books, self.name, self.delay_s = books, name, delay_s
        self.refuses = refuses  # share of the submits that are refused for now
        self.random = random.Random(seed)
        self.links = {}  # link -> {sequence: supplier's id}: receipts under way
        self.count = 0
        self.due = []    # (time, id, destination)
        self.port = 0
        self.server = None

    async def start(self):
        await self.listen()
        asyncio.create_task(self.send_receipts())

    async def listen(self):
        """Where it listened before, if it did."""
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        link = Link(reader, writer)
        async for command, status, sequence, body in link.pdus():
            if command == wire.BIND_TRANSCEIVER:
                link.send(wire.pdu(command | wire.RESPONSE, wire.ROK, sequence,
                                   wire.c_string(self.name)))
                self.links[link] = {}
            elif command == wire.SUBMIT:
                self.submitted(link, sequence, body)
            elif command == wire.DELIVER | wire.RESPONSE:
                self.receipt_answered(link, status, sequence)
            elif command in (wire.ENQUIRE, wire.UNBIND):
                link.send(wire.pdu(command | wire.RESPONSE, wire.ROK, sequence))
        for message_id, destination in self.links.pop(link, {}).values():
            self.later(message_id, destination, 0)
        link.close()

    def submitted(self, link, sequence, body):
        _, destination, _, token = wire.parse_message(body)
        if self.random.random() < self.refuses:
            self.books.refused_at_first += 1
            status = self.random.choice([wire.RTHROTTLED, wire.RMSGQFUL, wire.RSUBMITFAIL])
            link.send(wire.pdu(wire.SUBMIT | wire.RESPONSE, status, sequence))
            return
        self.count += 1
        message_id = f"{self.name}{self.count:08x}"
        self.books.at_supplier[token] = self.books.at_supplier.get(token, 0) + 1
        self.books.supplier_accepted[message_id] = token
        self.books.receipts_due[message_id] = self.name
        link.send(wire.pdu(wire.SUBMIT | wire.RESPONSE, wire.ROK, sequence,
                           wire.c_string(message_id)))
        self.later(message_id, destination, self.random.uniform(0, self.delay_s))

    def later(self, message_id, destination, delay_s):
        self.due.append((asyncio.get_running_loop().time() + delay_s, message_id, destination))

    def receipt_answered(self, link, status, sequence):
        message_id, destination = self.links[link].pop(sequence)
        if status == wire.ROK:
            self.books.receipts_due.pop(message_id, None)
        else:
            self.later(message_id, destination, 0.2)

    async def send_receipts(self):
        while True:
            await asyncio.sleep(0.01)
            now = asyncio.get_running_loop().time()
            ready = [one for one in self.due if one[0] <= now]
            links = [link for link, open_ones in self.links.items() if len(open_ones) < 500]
            if not ready or not links:
                continue
            self.due = [one for one in self.due if one[0] > now]
            for _, message_id, destination in ready:
                link = self.random.choice(links)
                sequence = link.next_sequence()
                self.links[link][sequence] = (message_id, destination)
                link.send(wire.message(wire.DELIVER, sequence, destination, "447700900001",
                                       wire.receipt_text(message_id), wire.RECEIPT_CLASS))
