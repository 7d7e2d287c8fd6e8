"""The RTP streams in a capture, and what is wrong with them.

A stream is what one address and port sends to another under one SSRC. Its faults are sentences; an empty list
means that a far end heard one well-formed stream (RFC 3550)."""

import collections
import statistics
import struct

from bed import pcap

FRAME_SAMPLES = 160
FRAME_SECONDS = 0.020
CLOCK = 8000

Packet = collections.namedtuple("Packet", "time sequence timestamp marker payload_type payload")
Key = collections.namedtuple("Key", "source sport target tport ssrc")


class Stream:
    def __init__(self, key):
        self.key = key
        self.packets = []

    def __len__(self):
        return len(self.packets)

    def of_type(self, *kinds):
        return [packet for packet in self.packets if packet.payload_type in kinds]

    def gaps(self):
        """Sequence numbers that are missing, repeated or out of order."""
        found = []
        for one, two in zip(self.packets, self.packets[1:]):
            if two.sequence != (one.sequence + 1) & 0xFFFF:
                found.append(f"sequence {one.sequence} is followed by {two.sequence} at {two.time:.6f}")
        return found

    def timestamp_faults(self, tolerance=0.100):
        """Within a source timestamps rise by a frame; at a change (marker) they follow the clock on the wall."""
        found = []
        audio = [packet for packet in self.packets if len(packet.payload) != 4]
        for one, two in zip(audio, audio[1:]):
            step = (two.timestamp - one.timestamp) & 0xFFFFFFFF
            if not two.marker and step != FRAME_SAMPLES:
                found.append(f"timestamp rises by {step} without a marker at sequence {two.sequence}")
            elif two.marker and (step == 0 or step >= 1 << 31):
                found.append(f"timestamp goes back at sequence {two.sequence}")
            elif two.marker and abs(step / CLOCK - (two.time - one.time)) > tolerance:
                found.append(f"timestamp rises by {step / CLOCK:.3f} s at sequence {two.sequence}, "
                             f"the clock by {two.time - one.time:.3f} s")
        return found

    def spacing(self):
        """Seconds between neighbouring packets of one talkspurt."""
        return [two.time - one.time for one, two in zip(self.packets, self.packets[1:]) if not two.marker]

    def spacing_faults(self, median=0.001, spread=0.010):
        """20 ms apart: the median within `median`, nine of ten within `spread`."""
        gaps = self.spacing()
        if len(gaps) < 10:
            return []
        found = []
        middle = statistics.median(gaps)
        if abs(middle - FRAME_SECONDS) > median:
            found.append(f"packets are {middle * 1000:.1f} ms apart in the median, not 20")
        far = sum(abs(gap - FRAME_SECONDS) > spread for gap in gaps)
        if far * 10 > len(gaps):
            found.append(f"{far} of {len(gaps)} packets are more than {spread * 1000:.0f} ms off")
        return found

    def faults(self):
        return self.gaps() + self.timestamp_faults()


def streams(path):
    """All streams of a capture, in order of appearance. What isn't RTP on an even port is left out."""
    found = {}
    for datagram in pcap.datagrams(path):
        body = datagram.payload
        if len(body) < 12 or body[0] >> 6 != 2 or datagram.sport % 2 or datagram.tport % 2 \
                or 5060 in (datagram.sport, datagram.tport):
            continue
        head = 12 + 4 * (body[0] & 0x0F)
        kind = body[1] & 0x7F
        sequence, timestamp, ssrc = struct.unpack_from("!HII", body, 2)
        key = Key(datagram.source, datagram.sport, datagram.target, datagram.tport, ssrc)
        stream = found.setdefault(key, Stream(key))
        stream.packets.append(Packet(datagram.time, sequence, timestamp, bool(body[1] & 0x80), kind, body[head:]))
    return list(found.values())


def between(found, source, target):
    return [stream for stream in found if stream.key.source == source and stream.key.target == target]


def count(found, source, target):
    return sum(map(len, between(found, source, target)))


def only(found, source, target):
    """The one stream from source to target; none or several is a failure of the caller's expectation."""
    chosen = between(found, source, target)
    if len(chosen) != 1:
        raise AssertionError(f"{len(chosen)} streams from {source} to {target}, not one: "
                             + ", ".join(f"ssrc {s.key.ssrc:08x} with {len(s)} packets" for s in chosen))
    return chosen[0]
