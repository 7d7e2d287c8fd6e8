"""A far end's RTP (RFC 3550, 4733): sends an exact number of packets on time and counts what it hears.

What it says is made so that a listener can tell who said it and when: each payload begins with the phone's
name and the packet's number. SIP is none of its business."""

import random
import select
import socket
import struct
import threading
import time

from bed.process import Failure

PCMU, PCMA, EVENT = 0, 8, 101
FRAME_SECONDS = 0.020
FRAME_SAMPLES = 160
SILENCE_SECONDS = 0.1  # a gap that is no mere lateness
_EVENTS = "0123456789*#ABCD"
_HEADER = struct.Struct("!BBHII")


class Phone:
    def __init__(self, host, port, payload_type=PCMU, event_type=EVENT, address=None):
        self.name = host.host.encode()[:8].ljust(8)
        self.payload_type = payload_type
        self.event_type = event_type
        self.ssrc = random.getrandbits(32)
        self.sent = 0
        self.received = 0
        self.received_by_type = {}
        self._sequence = random.getrandbits(16)
        self._timestamp = random.getrandbits(32)
        self._spoken = 0
        self._due = None
        self._marker = True
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._background = None
        self._closing, self._close_signal = socket.socketpair()
        self._socket = host.socket(bind=(address or host.address, port))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.port = self._socket.getsockname()[1]
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self):
        while True:
            ready, _, _ = select.select([self._socket, self._closing], [], [])
            if self._closing in ready:
                return
            try:
                packet = self._socket.recv(2048)
            except OSError:
                continue
            if len(packet) < _HEADER.size or packet[0] >> 6 != 2:
                continue
            kind = packet[1] & 0x7F
            with self._news:
                self.received += 1
                self.received_by_type[kind] = self.received_by_type.get(kind, 0) + 1
                self._news.notify_all()

    def wait_received(self, count, timeout=20):
        """Waits until that many packets have come in altogether."""
        with self._news:
            if not self._news.wait_for(lambda: self.received >= count, timeout):
                raise Failure(f"{self.name.decode().strip()} heard {self.received} packets, not {count}, "
                              f"within {timeout} s")

    def wait_silence(self, seconds=0.2, timeout=20):
        """Waits until nothing has come in for a while. Returns how much has come in altogether."""
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                before = self.received
                self._news.wait_for(lambda: self.received != before, seconds)
                if self.received == before:
                    return before
                if time.monotonic() > deadline:
                    raise Failure(f"{self.name.decode().strip()} went on hearing packets for {timeout} s")

    def speak(self, remote, packets):
        """Sends so many audio packets, one per 20 ms, and returns when the last one is out."""
        for _ in range(packets):
            self._wait_for_slot()
            head = self.name + struct.pack("!II", self.ssrc, self._spoken)
            self._spoken += 1
            self._send(remote, self.payload_type, self._timestamp, head.ljust(FRAME_SAMPLES, b"\xd5"))
            self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF

    def speak_on(self, remote):
        """Goes on speaking until hush()."""
        self._stop.clear()

        def run():
            while not self._stop.is_set():
                self.speak(remote, 1)

        self._background = threading.Thread(target=run, daemon=True)
        self._background.start()

    def hush(self):
        """Ends speak_on(); after it nothing more is sent. Returns how much was sent altogether."""
        self._stop.set()
        if self._background:
            self._background.join()
            self._background = None
        return self.sent

    def press(self, remote, digit, frames=5):
        """Sends one digit: `frames` updates and three ends, one per 20 ms (RFC 4733 2.5.1.2, 2.5.1.4)."""
        for number in range(1, frames + 3):
            self._wait_for_slot()
            self._marker = number == 1
            end = 0x80 if number >= frames else 0
            duration = FRAME_SAMPLES * min(number, frames)
            event = struct.pack("!BBH", _EVENTS.index(digit), end | 10, duration)
            self._send(remote, self.event_type, self._timestamp, event)
        self._timestamp = (self._timestamp + FRAME_SAMPLES * (frames + 2)) & 0xFFFFFFFF
        self._marker = True

    def _wait_for_slot(self):
        """Sleeps until the next packet is due. After a silence it is due now, with a marker and the timestamp
        that the clock has reached (RFC 3550 5.1)."""
        now = time.monotonic()
        late = 0 if self._due is None else now - self._due
        if self._due is None or late > SILENCE_SECONDS:
            self._timestamp = (self._timestamp + round(late * FRAME_SAMPLES / FRAME_SECONDS)) & 0xFFFFFFFF
            self._marker = True
            self._due = now
        if self._due > now:
            time.sleep(self._due - now)
        self._due += FRAME_SECONDS

    def _send(self, remote, kind, timestamp, payload):
        header = _HEADER.pack(0x80, (0x80 if self._marker else 0) | kind, self._sequence, timestamp, self.ssrc)
        self._marker = False
        self._socket.sendto(header + payload, remote)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.sent += 1

    def send_raw(self, remote, datagram):
        """Something that isn't counted: what a stranger or a broken phone sends."""
        self._socket.sendto(datagram, remote)

    def close(self):
        self.hush()
        self._close_signal.send(b"x")
        self._listener.join()
        for end in (self._socket, self._closing, self._close_signal):
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
