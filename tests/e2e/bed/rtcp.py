"""A far end's RTCP (RFC 3550 section 6) beside its phone's RTP, and what tshark makes of the gateway's.

It reads by itself what it needs to answer (an SR's SSRC and NTP time) and answers every SR with a report of its
own; whether the gateway's packets are well formed is tshark's to say."""

import select
import socket
import struct
import subprocess
import threading
import time

from bed.process import Failure

SR, RR, SDES, BYE, XR = 200, 201, 202, 203, 207
_UNITS = 65536  # of LSR and DLSR, per second


def receiver_report(ssrc, about, lost=0, jitter=0, lsr=0, dlsr=0, fraction=0):
    """One compound packet: RR with one block, SDES."""
    block = struct.pack("!IIIIII", about, fraction << 24 | lost & 0xFFFFFF, 0, jitter, lsr, dlsr)
    name = b"\x01\x07far@end"
    sdes = struct.pack("!I", ssrc) + name + b"\0" * (4 - len(name) % 4)
    return (struct.pack("!BBHI", 0x81, RR, 7, ssrc) + block
            + struct.pack("!BBH", 0x81, SDES, len(sdes) // 4) + sdes)


def first_sr(packet):
    """(SSRC, middle of the NTP time) of a compound packet that begins with an SR, else None."""
    if len(packet) < 28 or packet[1] != SR:
        return None
    ssrc, = struct.unpack_from("!I", packet, 4)
    return ssrc, struct.unpack_from("!I", packet, 10)[0]


class FarEnd:
    """Answers each SR after `holds` seconds. honest: says so in DLSR; else the wait counts as time on the way."""

    def __init__(self, host, port, ssrc, lost=0, jitter=0, holds=0.0, honest=True, address=None):
        self.answers = 0
        self.heard = []
        self._news = threading.Condition()
        self._say = ssrc, lost, jitter, holds, honest
        self._closing, self._close_signal = socket.socketpair()
        self._socket = host.socket(bind=(address or host.address, port))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        ssrc, lost, jitter, holds, honest = self._say
        while True:
            ready, _, _ = select.select([self._socket, self._closing], [], [])
            if self._closing in ready:
                return
            packet, remote = self._socket.recvfrom(2048)
            came = time.monotonic()
            sender = first_sr(packet)
            if sender:
                time.sleep(holds)  # the time on the way that is simulated
                held = int((time.monotonic() - came) * _UNITS) if honest else 0
                self._socket.sendto(receiver_report(ssrc, sender[0], lost, jitter, sender[1], held), remote)
            with self._news:
                self.heard.append(packet)
                self.answers += bool(sender)
                self._news.notify_all()

    def wait_answers(self, count, timeout=20):
        with self._news:
            if not self._news.wait_for(lambda: self.answers >= count, timeout):
                raise Failure(f"{self.answers} sender reports came, not {count}, within {timeout} s")

    def wait_bye(self, timeout=20):
        with self._news:
            if not self._news.wait_for(lambda: self.heard and _types(self.heard[-1])[-1] == BYE, timeout):
                raise Failure(f"no BYE within {timeout} s")

    def close(self):
        self._close_signal.send(b"x")
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _types(packet):
    found, at = [], 0
    while at + 4 <= len(packet):
        found.append(packet[at + 1])
        at += 4 * (struct.unpack_from("!H", packet, at + 2)[0] + 1)
    return found


_FIELDS = {"time": "frame.time_epoch", "types": "rtcp.pt", "ssrc": "rtcp.senderssrc",
           "ntp": "rtcp.timestamp.ntp.msw", "ts": "rtcp.timestamp.rtp", "packets": "rtcp.sender.packetcount",
           "octets": "rtcp.sender.octetcount", "lost": "rtcp.ssrc.cum_nr", "name": "rtcp.sdes.text",
           "check": "rtcp.length_check", "xr": "rtcp.xr.bt", "malformed": "_ws.malformed"}


def dissect(path, source, port):
    """tshark's reading of what `source` sent from that port: a dict for each packet; lists where several are."""
    family = "ipv6" if ":" in source else "ip"
    argv = ["tshark", "-n", "-r", path, "-d", f"udp.port=={port},rtcp", "-Y",
            f"{family}.src == {source} && udp.srcport == {port} && rtcp", "-T", "fields", "-E", "separator=\t"]
    for field in _FIELDS.values():
        argv += ["-e", field]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    if done.returncode:
        raise Failure(f"tshark: {done.stderr}")
    return [dict(zip(_FIELDS, (cell.split(",") if cell else [] for cell in line.split("\t"))))
            for line in done.stdout.splitlines()]
