"""What SIPp tells the test, and what the test tells SIPp.

SIPp's third party mode (-3pcc): <sendCmd> writes a message to a TCP connection, <recvCmd> waits for one. A
scenario reports `Event: answered` with what it read, and waits to be told to go on; so a test moves from event
to event and never waits for time. Messages are lines "Name: value" and end with ESC; Call-ID says which call."""

import queue
import socket
import threading

from bed.process import Failure

_END = b"\x1b"


class Conductor:
    def __init__(self, host):
        self._listener = host.socket(socket.SOCK_STREAM, ("127.0.0.1", 0))
        self._listener.listen(1)
        self._peer = None
        self._connected = threading.Event()
        self._events = queue.Queue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self._listener.getsockname()[1]

    def _serve(self):
        try:
            self._peer, _ = self._listener.accept()
        except OSError:
            return
        self._connected.set()
        waiting = b""
        while True:
            try:
                more = self._peer.recv(65536)
            except OSError:
                return
            if not more:
                self._events.put(None)
                return
            waiting += more
            *whole, waiting = waiting.split(_END)
            for message in whole:
                self._events.put(_parse(message.decode("utf-8", "replace")))

    def wait(self, event, timeout=20):
        """The next report, which must be of this event. Returns its fields by name."""
        try:
            report = self._events.get(timeout=timeout)
        except queue.Empty:
            raise Failure(f"SIPp did not report '{event}' within {timeout} s") from None
        if report is None:
            raise Failure(f"SIPp ended before it reported '{event}'")
        if report.get("Event") != event:
            raise Failure(f"SIPp reported {report}, not '{event}'")
        return report

    def tell(self, report, **fields):
        """Lets the call of this report go on."""
        lines = [f"Call-ID: {report['Call-ID']}"] + [f"{name}: {value}" for name, value in fields.items()]
        self._peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + _END)

    def close(self):
        for end in (self._listener, self._peer):
            if end:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
        self._thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _parse(text):
    fields = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields[name.strip()] = value.strip()
    return fields


def media(report):
    """Where a report says that RTP goes: (address, port)."""
    address, _, port = report["Media"].rpartition(":")
    return address, int(port)
