"""The other end of sd_notify(3): a socket that one process is told of, and what it says there."""

import os
import socket


class Listener:
    def __init__(self, path, watchdog_seconds):
        """path: of the socket to be; it goes away with close()."""
        self.path = path
        self.watchdog_seconds = watchdog_seconds
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(path)

    def fileno(self):
        return self._socket.fileno()

    def environment(self):
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": str(int(self.watchdog_seconds * 1_000_000))}

    def heard(self):
        """What has come in since the last time: (name, value) pairs in order."""
        pairs = []
        while True:
            try:
                message = self._socket.recv(4096).decode("utf-8", "replace")
            except BlockingIOError:
                return pairs
            pairs += [tuple(line.partition("=")[::2]) for line in message.splitlines()]

    def close(self):
        self._socket.close()
        os.unlink(self.path)
