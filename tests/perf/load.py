"""rtp_load of one far end: its streams, and what it heard when it is asked."""

import json
import os
import socket

from bed import gateway
from bed.process import Failure


class Load:
    def __init__(self, host, directory, build, port):
        self.host, self.port = host, port
        self._path = os.path.join(directory, f"load-{host.host}")
        # Sockets are no files to keep: they are among the gateway's own.
        asker, self._control = (os.path.join(gateway.run_directory(directory), f"load-{host.host}.{end}")
                                  for end in ("asker", "control"))
        program = os.path.join(build, "tests/perf/rtp_load")
        if not os.path.exists(program):
            raise Failure(f"{program} is not there; run: ./run build")
        self._process = host.start([program, host.address, port, self._control], self._path + ".log")
        self._process.wait_for_line("^ready$")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(asker)
        self._socket.settimeout(20)

    def _ask(self, text):
        self._socket.sendto(text.encode(), self._control)
        answer = self._socket.recv(4096).decode()
        if answer != "ok":
            raise Failure(f"rtp_load: {text}: {answer}")

    def add(self, stream, remote):
        self._ask(f"add {stream} {remote[0]} {remote[1]}")

    def remove(self, stream):
        self._ask(f"remove {stream}")

    def report(self):
        """{"sent": {stream: packets}, "through": {stream of the other end: [packets, repeated, number of the first]},
        "heard": {gateway's port: [packets, SSRC changes, sequence gaps, first, last]}, "gaps": [[port, from, to]], ...}; ns since 1970."""
        path = self._path + ".json"
        self._ask(f"report {path}")
        with open(path, encoding="ascii") as file:
            report = json.load(file)
        for name in ("sent", "through", "heard"):
            report[name] = {int(key): value for key, value in report[name].items()}
        return report

    def close(self):
        self._socket.close()
        self._process.kill()
