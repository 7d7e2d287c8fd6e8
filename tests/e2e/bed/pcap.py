"""Captured packets: the classic pcap format, Ethernet, IPv4 and IPv6, UDP."""

import collections
import socket
import struct

Datagram = collections.namedtuple("Datagram", "time source sport target tport payload")

_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_IPV6 = 0x86DD
_ETHERTYPE_VLAN = 0x8100
_UDP = 17


def frames(path):
    """Yields (time in seconds, frame). A record that is cut off at the end is left out."""
    with open(path, "rb") as file:
        head = file.read(24)
        if len(head) < 24:
            return
        little = head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
        fraction = 1e-9 if head[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e-6
        record = struct.Struct("<IIII" if little else ">IIII")
        while True:
            header = file.read(record.size)
            if len(header) < record.size:
                return
            seconds, part, length, _ = record.unpack(header)
            frame = file.read(length)
            if len(frame) < length:
                return
            yield seconds + part * fraction, frame


def _ipv6(time, frame, offset):
    """The datagram of a frame without extension headers, or None."""
    udp = offset + 40
    if len(frame) < udp + 8 or frame[offset + 6] != _UDP:
        return None
    sport, tport, length = struct.unpack_from("!HHH", frame, udp)
    return Datagram(time, socket.inet_ntop(socket.AF_INET6, frame[offset + 8:offset + 24]), sport,
                    socket.inet_ntop(socket.AF_INET6, frame[offset + 24:offset + 40]), tport,
                    frame[udp + 8:udp + length])


def datagrams(path):
    """Yields the UDP datagrams of a capture, whole ones only."""
    for time, frame in frames(path):
        offset = 14
        kind = int.from_bytes(frame[12:14], "big")
        if kind == _ETHERTYPE_VLAN:
            kind, offset = int.from_bytes(frame[16:18], "big"), 18
        if kind == _ETHERTYPE_IPV6:
            found = _ipv6(time, frame, offset)
            if found:
                yield found
            continue
        if kind != _ETHERTYPE_IPV4 or len(frame) < offset + 28 or frame[offset + 9] != _UDP:
            continue
        header = (frame[offset] & 0x0F) * 4
        udp = offset + header
        if int.from_bytes(frame[offset + 6:offset + 8], "big") & 0x3FFF:
            continue
        sport, tport, length = struct.unpack_from("!HHH", frame, udp)
        yield Datagram(time, socket.inet_ntoa(frame[offset + 12:offset + 16]), sport,
                       socket.inet_ntoa(frame[offset + 16:offset + 20]), tport, frame[udp + 8:udp + length])
