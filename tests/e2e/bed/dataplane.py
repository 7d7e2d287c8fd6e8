"""The dataplane by itself: one namespace with it, one with the far ends, a veth between them, and a stand-in
for the control plane that writes into the region (tests/unit/dataplane/program_leg.c)."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import time

from bed import owner, pcap, region, rtp, settings
from bed.capture import Capture
from bed.namespace import Namespace
from bed.process import Failure, call, wait_until

GATEWAY = "198.18.0.2"
ALICE = "198.18.0.10"
BOB = "198.18.0.20"
GATEWAY6 = "2001:db8::2"
ALICE6 = "2001:db8::a"
BOB6 = "2001:db8::14"
PORT_MIN = 20000
LEGS = 1000  # of each address; those of IPv6 come behind those of IPv4
PREFIX = 24
FRAME = 160


class Driver:
    """The stand-in. Each request is a line; the answer is a list of {key: value}."""

    def __init__(self, build, settings_path):
        self._child = subprocess.Popen([os.path.join(build, "tests/unit/dataplane/program_leg"), settings_path],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, *words):
        self._child.stdin.write(" ".join(map(str, words)) + "\n")
        rows = []
        while (line := self._child.stdout.readline()) != ".\n":
            if not line:
                raise Failure("program_leg ended")
            rows.append(dict(word.split("=", 1) for word in line.split() if "=" in word))
        return rows

    def one(self, *words):
        rows = self.ask(*words)
        return {key: int(value) if value.lstrip("-").isdigit() and key != "digits" else value
                for key, value in (rows[0] if rows else {}).items()}

    def records(self, worker=0, count=1):
        """The next meter records; waits for them."""
        found = []

        def more():
            found.extend({key: int(value) for key, value in row.items()} for row in self.ask("meters", worker))
            return len(found) >= count
        wait_until(f"{count} meter records", more)
        return found

    def settled(self, worker=0):
        """All commands so far have been carried out or refused."""
        tag = self._tag = getattr(self, "_tag", 0) + 1
        self.ask("snapshot", worker, tag)
        found = []

        def answered():
            found.extend({key: int(value) for key, value in row.items()} for row in self.ask("meters", worker))
            return any(r["kind"] == 2 and r["stint"] == tag for r in found)
        wait_until("the worker's answer", answered)
        return found

    def close(self):
        self._child.stdin.close()
        self._child.wait(5)


class FarEnd:
    """One RTP endpoint in the far namespace."""

    def __init__(self, host, address, port):
        self.address, self.port = address, port
        self.socket = host.socket(bind=(address, port))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sequence, self.timestamp, self.ssrc = 100, 1000, 0xA0000000 + port
        self.sent = 0

    def send(self, leg, payload=b"\x55" * FRAME, payload_type=0, marker=0, step=FRAME, sequence=None, timestamp=None,
             to=None, ssrc=None):
        head = struct.pack("!BBHII", 0x80, marker << 7 | payload_type,
                           (self.sequence if sequence is None else sequence) & 0xFFFF,
                           (self.timestamp if timestamp is None else timestamp) & 0xFFFFFFFF, ssrc or self.ssrc)
        to = to or (GATEWAY6 if ":" in self.address else GATEWAY)
        self.socket.sendto(head + payload, (to, PORT_MIN + 2 * (leg % LEGS)))
        if sequence is None:
            self.sequence += 1
        if timestamp is None:
            self.timestamp += step
        self.sent += 1

    def digit(self, leg, event, packets=6):
        """One RFC 4733 event: `packets` updates and three ends."""
        for i in range(packets + 3):
            end = i >= packets
            duration = min(i + 1, packets) * FRAME
            self.send(leg, struct.pack("!BBH", event, 0x80 * end | 10, duration), payload_type=101,
                      marker=int(i == 0), step=0)
        self.timestamp += packets * FRAME

    def talk(self, leg, count, seconds=0.02):
        start = time.monotonic()
        for i in range(count):
            self.send(leg)
            delay = start + (i + 1) * seconds - time.monotonic()
            if delay > 0:
                time.sleep(delay)

    def waiting(self):
        """Everything that has arrived, as payloads of datagrams."""
        self.socket.setblocking(False)
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.socket.recv(2048))
        return found


class Bench:
    """kind: "af_xdp", "af_packet", or "dpdk": AF_PACKET as if DPDK owned the port, with a tap for the rest."""

    def __init__(self, build, kind, workers=1, idle="adaptive", region_dir=region.HUGEPAGES, changes=None,
                 ipv6=False):
        self.build = os.path.abspath(build)
        self.kind, self.workers = kind, workers
        self._stack = contextlib.ExitStack()
        self.directory = owner.make_directory()
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.region_name = owner.name("region")
        self._stack.callback(region.remove, self.region_name)
        try:
            self._make_network()
        except BaseException:
            self._stack.close()
            raise
        port = {"kind": kind, "interface": "media0"}
        if kind == "dpdk":
            port = {"kind": kind, "interface": "tg0", "device": f"net_af_packet7,iface=wire0,qpairs={workers}"}
        lcores = ",".join(f"{i}@0" for i in range(workers + 1))
        self.settings = settings.merge({
            "registry": "registry.conf",
            "node": {"name": "gw1", "state_dir": self.directory, "run_dir": self.directory},
            "region": {"dir": region_dir, "name": self.region_name},
            "media": {"addresses": [GATEWAY, GATEWAY6] if ipv6 else [GATEWAY], "ports": [port], "port_min": PORT_MIN, "port_max": PORT_MIN + 2 * LEGS - 1,
                      "workers": workers, "arena_mib": 4, "items": 16, "idle": idle},
            "eal": {"lcores": lcores, "memory_mib": 64 if workers == 1 else 128},
            "sip": {"address": GATEWAY},
        }, changes)
        self.settings_path = os.path.join(self.directory, "tollgate.conf")
        with open(self.settings_path, "w", encoding="utf-8") as file:
            file.write(settings.text(self.settings))
        self.dataplane = self.driver = None

    def _make_network(self):
        self.gateway = Namespace("gateway")
        self._stack.callback(self.gateway.remove)
        self.far = Namespace("far")
        self._stack.callback(self.far.remove)
        near = "wire0" if self.kind == "dpdk" else "media0"
        queues = ["numrxqueues", self.workers, "numtxqueues", self.workers]
        call("ip", "-n", self.far.name, "link", "add", "eth0", *queues, "type", "veth", "peer", "name", near, *queues,
             "netns", self.gateway.name)
        for address in (ALICE, BOB):
            call("ip", "-n", self.far.name, "address", "add", f"{address}/{PREFIX}", "dev", "eth0")
        for address in (ALICE6, BOB6):
            call("ip", "-n", self.far.name, "address", "add", f"{address}/64", "dev", "eth0", "nodad")
        call("ip", "-n", self.far.name, "link", "set", "eth0", "up")
        call("ip", "-n", self.gateway.name, "link", "set", near, "up")
        if self.kind == "dpdk":
            # Whole checksums: what the tap gets, a kernel checks. And the kernel does not see the wire itself,
            # as with a real device: what comes in there is from the wrong side.
            self.far.call("ethtool", "-K", "eth0", "tx", "off")
            self.gateway.call("sysctl", "-qw", "net.ipv4.conf.wire0.rp_filter=1", "net.ipv4.conf.wire0.arp_ignore=8",
                              "net.ipv6.conf.wire0.disable_ipv6=1")
            call("ip", "-n", self.gateway.name, "tuntap", "add", "tg0", "mode", "tap")
            call("ip", "-n", self.gateway.name, "link", "set", "tg0", "up")
        inside = "tg0" if self.kind == "dpdk" else "media0"
        call("ip", "-n", self.gateway.name, "address", "add", f"{GATEWAY}/{PREFIX}", "dev", inside)
        call("ip", "-n", self.gateway.name, "address", "add", f"{GATEWAY6}/64", "dev", inside, "nodad")
        self.gateway.interface, self.gateway.address = inside, GATEWAY
        self.far.interface, self.far.address = "eth0", ALICE

    def start(self, wait=True, name="dataplane"):
        program = os.path.join(self.build, "dataplane/tollgate-dataplane")
        suppressions = os.path.join(os.path.dirname(os.path.abspath(__file__)), "leaks.supp")
        # Whole stacks, so that what libraries leave behind is told apart from what we do.
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:fast_unwind_on_malloc=0",
                           LSAN_OPTIONS=f"suppressions={suppressions}:print_suppressions=0")
        self.dataplane = self.gateway.start([program, "--settings", self.settings_path],
                                            os.path.join(self.directory, f"{name}.log"), env=environment)
        if wait:
            self.dataplane.wait_for_line(r"\bevent=ready\b", 30)
        if not self.driver:
            self.driver = Driver(self.build, self.settings_path)
            self._stack.callback(self.driver.close)
        return self

    def stop(self):
        process, self.dataplane = self.dataplane, None
        if process and (status := process.stop()) != 0:
            raise Failure(f"the dataplane ended with {status}:\n{process.tail(25)}")

    def kill(self):
        self.dataplane.kill()
        self.dataplane = None

    def close(self):
        try:
            self.stop()
        finally:
            if self.dataplane:
                self.dataplane.kill()
            self._stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def far_end(self, address, port=4000):
        return FarEnd(self.far, address, port)

    def capture(self, name="far"):
        return Capture(self.far, os.path.join(self.directory, f"{name}.pcap"), os.path.join(self.directory, f"{name}.log"))

    def wait_next_hops(self, *legs):
        """Programmed legs can be sent to: the kernel knows the neighbours."""
        def known():
            return all(self._link(leg) for leg in legs)
        wait_until("next hops are known", known)

    def _link(self, leg):
        return self.driver.one("link", leg).get("link")


def drops(stats):
    return {key: value for key, value in stats.items() if key.startswith("drop_") and value}


def streams(path):
    return rtp.streams(path)


def expect(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found}, not {wanted}")


__all__ = ["ALICE", "ALICE6", "BOB", "BOB6", "GATEWAY", "GATEWAY6", "LEGS", "PORT_MIN", "Bench", "drops", "expect", "pcap", "streams"]
