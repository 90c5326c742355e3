"""What a capture says of one end's TCP: tshark's expert info, and a model of the windows of its own."""

import collections

# What tshark calls an error or warning that no lost, doubled or late frame brings about.
NEVER = ("alformed", "hecksum", "ACKed segment that wasn't captured", "onflicting data", "bogus", "Bogus",
         "too short", "too long", "Suspected", "option")
FIELDS = ["frame.number", "tcp.stream", "ip.src", "ipv6.src", "tcp.seq", "tcp.ack", "tcp.len", "tcp.flags",
          "tcp.window_size", "_ws.expert.message"]
SYN, FIN, ACK, RST = 0x02, 0x01, 0x10, 0x04


class Trace:
    """`ours`: the addresses of the end that is judged. Frames that the end's own impairment drops on
    their way in are in the capture, those that it drops on their way out are not: so what the end has
    seen of windows and sequence numbers is never more than the capture shows."""

    def __init__(self, capture, ours):
        self.ours = ours
        self.segments = self.streams_v4 = self.streams_v6 = 0
        self.experts = collections.Counter()
        self.errors, self.beyond_window, self.shrunk = [], [], []
        self._offered = {}  # stream -> right edge that the other end has offered
        self._edge = {}     # stream -> right edge that we have offered
        arguments = [word for field in FIELDS for word in ("-e", field)]
        for line in capture.tshark("tcp", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|",
                                   "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
                                   *arguments, passes=1):
            self._segment(line)

    def _segment(self, line):
        number, stream, v4, v6, seq, ack, length, flags, window, experts = (line.split("\t") + [""])[:10]
        self.segments += 1
        flags = int(flags, 16)
        for message in filter(None, experts.split("|")):
            kind = message.split(" (")[0] if not message.startswith("Connection") else "Connection"
            self.experts[kind.split(":")[0].split(" [")[0]] += 1
            # The kernel's own frames may have a checksum of 0xffff where 0 would do.
            if any(word in message for word in NEVER) and (v4 or v6) in self.ours:
                self.errors.append(f"frame {number}, stream {stream}: {message}")
        source = v4 or v6
        if flags & SYN and not flags & ACK:
            self.streams_v4 += 1 if v4 else 0
            self.streams_v6 += 0 if v4 else 1
        # SYNs carry their window unscaled, and what follows a reset is nobody's.
        if flags & (SYN | RST):
            return
        seq, ack, length, window = int(seq), int(ack or 0), int(length), int(window)
        if source in self.ours:
            self._ours(number, stream, seq, ack, length + (1 if flags & FIN else 0), window)
        elif flags & ACK:
            self._offered[stream] = max(self._offered.get(stream, 0), ack + window)

    def _ours(self, number, stream, seq, ack, length, window):
        # Of data beyond the edge one octet is a window probe (RFC 9293 3.8.6.1). Before the other
        # end's first ACK the edge is not known here: the window of its SYN-ACK holds.
        edge = self._offered.get(stream)
        if edge is not None and seq + length > edge + 1:
            self.beyond_window.append(f"frame {number}, stream {stream}: to {seq + length}, edge {edge}")
        last = self._edge.get(stream, 0)
        if ack + window < last:
            self.shrunk.append(f"frame {number}, stream {stream}: right edge {last} to {ack + window}")
        self._edge[stream] = max(last, ack + window)
