"""The dataplane against its device: relay, scale, control, memory with the real tollgate-dataplane on pcap and null
ports, play and alternating windows with its worker in a process of the bench (packets/windows.c)."""

import contextlib
import json
import os
import re
import shutil
import statistics
import time

from bed import owner, region, settings
from bed.namespace import Namespace
from bed.process import Failure, Process, call

LEGS_PER_ADDRESS = 25000  # packets/plan.h
HOSTS = 200
PAIRS = 5
SECONDS = 2.0
TESTPMD_SECONDS = 6
CPU = 1
HUGE_MIB = 1100
RELAY_TARGETS = {1000: 0.85, 100000: 0.90}
OWN_RATIO_TARGET = 0.75
CHECKSUMS = {"full": 0, "carry": 1, "zero": 2}


def reserve(mib):
    """Adds huge pages where too few are free; takes none away."""
    with open("/proc/meminfo", encoding="ascii") as file:
        free = next(int(line.split()[1]) for line in file if line.startswith("HugePages_Free"))
    path = "/proc/sys/vm/nr_hugepages"
    with open(path, encoding="ascii") as file:
        total = int(file.read())
    if free < mib // 2:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(total + mib // 2 - free))


def addresses(legs):
    return [f"198.18.{n}.1" for n in range(-(-legs // LEGS_PER_ADDRESS))]


class Place:
    """A namespace with a tap behind the null port, whose kernel knows the far ends; frames; the dataplane."""

    def __init__(self, build):
        self.build = build
        self._stack = contextlib.ExitStack()
        self.directory = owner.make_directory()
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.region_name = owner.name("region")
        self._stack.callback(region.remove, self.region_name)
        self.settings_path = os.path.join(self.directory, "tollgate.conf")
        try:
            self._make_network()
        except BaseException:
            self._stack.close()
            raise

    def _make_network(self):
        self.host = Namespace("packets")
        self._stack.callback(self.host.remove)
        run = ["ip", "-n", self.host.name]
        call(*run, "tuntap", "add", "out0", "mode", "tap")
        call(*run, "link", "set", "out0", "up")
        call(*run, "route", "add", "198.19.100.0/24", "dev", "out0")

    def program(self, name):
        return os.path.join(self.build, name)

    def frames(self, name, first, legs):
        call(self.program("tests/perf/write_frames"), os.path.join(self.directory, name), first, legs)

    def configure(self, legs, files, workers=1, memory=HUGE_MIB, changes=None):
        ports = [{"kind": "dpdk", "device": "net_null0,no-rx=1", "interface": "out0"}]
        if files:
            given = "".join(f",rx_pcap={name}" for name in files)
            ports.insert(0, {"kind": "dpdk", "device": f"net_pcap0{given},infinite_rx=1"})
        lcores = ",".join(f"{w + 1}@{(CPU - w) % os.cpu_count()}" for w in range(workers))
        groups = settings.merge({
            "registry": "registry.conf",
            "node": {"name": "gw1", "state_dir": self.directory, "run_dir": self.directory},
            "region": {"dir": region.HUGEPAGES, "name": self.region_name},
            "media": {"addresses": addresses(legs), "ports": ports, "port_min": 10000,
                      "port_max": 9999 + 2 * LEGS_PER_ADDRESS, "workers": workers, "arena_mib": 1, "items": 16,
                      "idle": "spin", "timeout_ms": 0, "rate": 500000},
            "eal": {"lcores": f"0@0,{lcores}", "memory_mib": memory},
            "sip": {"address": "198.18.0.1"},
        }, changes)
        with open(self.settings_path, "w", encoding="utf-8") as file:
            file.write(settings.text(groups))

    @contextlib.contextmanager
    def dataplane(self, frames=0, packets_per_s=None):
        """Runs while the block does, on a region of its own."""
        region.remove(self.region_name)
        environment = dict(os.environ)
        if frames:
            environment.update(LD_PRELOAD=self.program("tests/perf/librenumber_preload.so"), TG_RENUMBER=str(frames))
        if packets_per_s:
            environment["TG_PACKETS_PER_S"] = str(packets_per_s)
        process = self.host.start([self.program("dataplane/tollgate-dataplane"), "--settings", self.settings_path],
                                  os.path.join(self.directory, "dataplane.log"), env=environment, cwd=self.directory)
        try:
            process.wait_for_line(r"\bevent=ready\b", 30)
            self._know_far_ends()
            yield process
            if (status := process.stop()) != 0:
                raise Failure(f"the dataplane ended with {status}:\n{process.tail()}")
        finally:
            if process.running():
                process.kill()

    def _know_far_ends(self):
        """After each start: the dataplane gives the tap its port's MAC, and the kernel forgets its neighbours."""
        lines = "".join(f"neigh replace 198.19.100.{n} lladdr 02:00:00:00:00:09 dev out0 nud permanent\n"
                        for n in range(1, HOSTS + 1))
        call("ip", "-n", self.host.name, "-batch", "-", input=lines)

    def drive(self, what, *arguments):
        return json.loads(call(self.program("tests/perf/drive"), self.settings_path, what, *arguments))

    def testpmd(self, file, frames):
        """Mpps of DPDK's own 5tswap on the same frames, ports and processor."""
        environment = dict(os.environ, TG_RENUMBER=str(frames),
                           LD_PRELOAD=self.program("tests/perf/librenumber_preload.so"))
        pmd = Process(["dpdk-testpmd", "-l", f"0,{CPU}", "--no-pci", "--in-memory", f"--file-prefix={self.region_name}",
                       f"--vdev=net_pcap0,rx_pcap={file},infinite_rx=1", "--vdev=net_null0,no-rx=1", "--",
                       "--nb-cores=1", "--forward-mode=5tswap", "--total-num-mbufs=400000", "--stats-period=1",
                       "--auto-start"], os.path.join(self.directory, "testpmd.log"), env=environment, cwd=self.directory)
        try:
            deadline, found = time.monotonic() + 30, []
            while len(found) < 4:
                if time.monotonic() > deadline or not pmd.running():
                    raise Failure(f"testpmd does not forward:\n{pmd.tail()}")
                time.sleep(0.2)
                rates = [int(m.group(1)) for line in pmd.lines() if (m := re.search(r"Tx-pps:\s+(\d+)", line))]
                found = [rate for rate in rates if rate]
            return statistics.median(found[1:]) / 1e6
        finally:
            pmd.kill()

    def close(self):
        self._stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def windows(options, *arguments):
    return json.loads(call(os.path.join(options.build, "tests/perf/windows"), *arguments).splitlines()[-1])


def relay(options, say):
    rows = []
    for legs in options.sizes:
        reserve(2 * HUGE_MIB + 200)
        with Place(options.build) as place:
            place.frames("frames.pcap", 0, legs)
            place.configure(legs, ["frames.pcap"], changes={"media": {"udp_checksum": options.checksum}})
            rows.append(_relay_row(options, say, place, legs))
    reached = all(row["ratio"] >= RELAY_TARGETS.get(row["sessions"], 0) and row["own_ratio"] >= OWN_RATIO_TARGET
                  for row in rows)
    return {"udp_checksum": options.checksum, "rows": rows, "reached": reached}


def _relay_row(options, say, place, legs):
    pairs, cycles, drops = [], [], {}
    for number in range(1, PAIRS + 1):
        baseline = place.testpmd("frames.pcap", legs)
        with place.dataplane(frames=legs):
            ours = place.drive("relay", legs, SECONDS)
        if ours["unaccounted"] not in range(-4096, 4097):
            raise Failure(f"frames neither relayed nor dropped: {ours}")
        pairs.append((ours["mpps"] / baseline, ours["mpps"], baseline))
        cycles.append(ours["cycles_per_packet"])
        drops.update(ours["drops"])
        say(f"{legs} legs, pair {number}: {ours['mpps']:.2f} Mpps, testpmd {baseline:.2f} Mpps")
    own = windows(options, "relay", CPU, legs, SECONDS, os.path.join(place.directory, "frames.pcap"),
                  CHECKSUMS[options.checksum])
    ratios = [round(pair[0], 3) for pair in pairs]
    return {"sessions": legs, "mpps": round(statistics.median(p[1] for p in pairs), 2),
            "baseline_mpps": round(statistics.median(p[2] for p in pairs), 2),
            "ratio": statistics.median(ratios), "ratios": ratios, "cycles_per_packet": statistics.median(cycles),
            "drops": drops, "own_ratio": own["ratio"],
            "own_cycles": {"io": own["io_cycles"], "5tswap": own["swap_cycles"], "relay": own["cycles_per_packet"]}}


def scale(options, say):
    """Each worker has a queue, and a file of its own legs' frames: one address each."""
    legs, found = 1000, {}
    reserve(2 * HUGE_MIB + 200)
    with Place(options.build) as place:
        for worker in range(2):
            place.frames(f"{worker}.pcap", worker * LEGS_PER_ADDRESS, legs)
        runs = {1: [], 2: []}
        for number in range(1, PAIRS + 1):
            for workers in (1, 2):
                place.configure(2 * LEGS_PER_ADDRESS, [f"{w}.pcap" for w in range(workers)], workers,
                                changes={"media": {"udp_checksum": options.checksum}})
                with place.dataplane(frames=legs):
                    second = [LEGS_PER_ADDRESS] if workers == 2 else []
                    runs[workers].append(place.drive("relay", legs, SECONDS, *second)["mpps"])
            say(f"run {number}: {runs[1][-1]:.2f} Mpps on one worker, {runs[2][-1]:.2f} on two")
        for workers, rates in runs.items():
            found[f"mpps_{workers}"] = round(statistics.median(rates), 2)
    found["efficiency"] = round(statistics.median(two / one / 2 for one, two in zip(runs[1], runs[2])), 3)
    return {**found, "reached": found["efficiency"] >= 0.9}


def control(options, say):
    legs = 1000
    reserve(2 * HUGE_MIB + 200)
    with Place(options.build) as place:
        place.frames("frames.pcap", 0, legs)
        place.configure(legs, ["frames.pcap"])
        with place.dataplane(frames=legs, packets_per_s=1_000_000):
            quiet = place.drive("relay", legs, SECONDS)
        with place.dataplane(frames=legs, packets_per_s=1_000_000):
            busy = place.drive("control", legs, 2 * SECONDS)
    lost = sum(busy["drops"].values())
    say(f"{quiet['mpps']:.2f} Mpps without commands, {busy['mpps']:.2f} with")
    return {"commands_per_s": busy["commands_per_s"], "added_loss": lost, "p50_us": busy["p50_us"],
            "p99_us": busy["p99_us"], "refused": busy["refused"], "mpps": busy["mpps"], "drops": busy["drops"],
            "mpps_quiet": quiet["mpps"],
            "reached": busy["commands_per_s"] >= 200_000 and lost == 0 and busy["refused"] == 0}


def _process_bytes(pid, region_path):
    """What a process has in memory that is not on a file: small and huge pages, without the region."""
    total, counted = 0, False
    with open(f"/proc/{pid}/smaps", encoding="ascii") as file:
        for line in file:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                counted = region_path not in line
            elif counted and line.startswith(("Anonymous:", "Private_Hugetlb:", "Shared_Hugetlb:")):
                total += int(line.split()[1]) * 1024
    return total


def memory(options, say):
    rows = []
    with Place(options.build) as place:
        for legs in (1000, 100_000, 1_000_000):
            count = max(1, legs // LEGS_PER_ADDRESS)
            reserve(64 + legs * 600 // 2**20 + 300)
            place.configure(count * LEGS_PER_ADDRESS, [], memory=64,
                            changes={"media": {"port_max": 9999 + 2 * (legs // count)}})
            with place.dataplane() as process:
                path = os.path.join(region.HUGEPAGES, place.region_name)
                size = os.stat(path).st_size
                own = _process_bytes(process.pid, path)
            row = {"sessions": legs, "region_bytes": size, "process_bytes": own}
            row["bytes_per_leg"] = round((row["region_bytes"] + row["process_bytes"]) / legs, 1)
            rows.append(row)
            say(f"{legs} legs: region {size / 2**20:.0f} MiB, process {row['process_bytes'] / 2**20:.0f} MiB")
    first, last = rows[0], rows[-1]
    more = sum(last[key] - first[key] for key in ("region_bytes", "process_bytes"))
    per_leg = round(more / (last["sessions"] - first["sessions"]), 1)
    return {"rows": rows, "bytes_per_leg": per_leg, "reached": per_leg <= 512}


def play(options, say):
    """Free running and paced; beside it what the machine itself takes away from a loop that does nothing else."""
    rows = []
    reserve(HUGE_MIB + 700)
    for legs in options.sizes:
        free = windows(options, "play", CPU, legs, 2 * SECONDS, 3000)
        paced = windows(options, "paced", CPU, legs, 2 * SECONDS, 3000)
        rows.append({"sessions": legs, "mpps": free["mpps"], "cycles_per_packet": free["cycles_per_packet"],
                     "paced_mpps": paced["mpps"], "lateness_us": paced["lateness_us"], "stalls": paced["stalls"]})
        say(f"{legs} plays: {free['mpps']} Mpps free running; paced, late by {paced['lateness_us']}")
    limits = {10_000: 50, 200_000: 100}
    reached = all(row["lateness_us"]["p99"] < limits.get(row["sessions"], float("inf")) for row in rows) and \
        all(row["mpps"] >= 15 for row in rows if row["sessions"] == 200_000)
    return {"rows": rows, "reached": reached}
