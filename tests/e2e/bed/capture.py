"""A capture of one host's interface that begins before anything is sent and ends after the last packet.

Beginning: dumpcap's socket is seen bound and running in the namespace's /proc/net/packet. Ending: a marker is
sent through the interface, and the capture is stopped when the marker is in the file; so nothing that came
before it can be missing unless the kernel dropped it, which dumpcap reports and the test refuses."""

import os
import re
import secrets
import signal

from bed.process import Failure, wait_until

_MARKER_PORT = 9  # discard


class Capture:
    def __init__(self, host, path, log_path, filter=None):
        self.path = path
        self._host = host
        self._stopped = False
        if os.path.exists(path):
            os.unlink(path)
        argv = ["dumpcap", "-q", "-P", "-B", "32", "-i", host.interface, "-w", path]
        if filter:
            argv += ["-f", f"({filter}) or udp port {_MARKER_PORT}"]
        self._process = host.start(argv, log_path)
        wait_until(f"dumpcap captures in {host.name}", self._bound)

    def _bound(self):
        if not self._process.running():
            raise Failure(f"dumpcap ended:\n{self._process.tail()}")
        with self._host.entered(), open("/proc/thread-self/net/packet", encoding="ascii") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        # columns: sk RefCnt Type Proto Iface R Rmem User Inode
        return os.path.exists(self.path) and any(row[4] != "0" and row[5] == "1" for row in rows)

    def stop(self):
        """Ends the capture with everything in it that passed so far. Returns the path."""
        if self._stopped:
            return self.path
        self._stopped = True
        marker = secrets.token_bytes(32)
        with self._host.socket() as sender:
            network = self._host.address.rpartition(".")[0]
            self._host.call("ip", "neigh", "replace", f"{network}.254", "lladdr", "02:00:00:00:00:fe", "dev",
                            self._host.interface)
            sender.sendto(marker, (f"{network}.254", _MARKER_PORT))
        wait_until(f"the marker in {self.path}", lambda: self._holds(marker))
        self._process.stop(signal.SIGINT)
        dropped = re.search(r"received/dropped on interface .*: \d+/(\d+)", "\n".join(self._process.lines()))
        if not dropped:
            raise Failure(f"dumpcap did not say whether it dropped packets:\n{self._process.tail()}")
        if int(dropped.group(1)):
            raise Failure(f"dumpcap dropped {dropped.group(1)} packets in {self._host.name}")
        return self.path

    def _holds(self, marker):
        if not self._process.running():
            raise Failure(f"dumpcap ended:\n{self._process.tail()}")
        with open(self.path, "rb") as file:
            file.seek(max(0, os.path.getsize(self.path) - 65536))
            return marker in file.read()

    def kill(self):
        self._process.kill()
