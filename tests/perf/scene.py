"""What the benches of surviving have in common: a gateway under a supervisor, and two far ends that talk in many
calls, with every packet counted where it is sent and where it is heard."""

import bisect
import contextlib
import json
import os
import platform
import random
import time

import far_end
import load
from bed import check, document, network, registry, settings
from bed.process import Failure, call
from bed.supervisor import Supervisor
from bed.world import DIALLED, World

MEDIA_PORT = 6000
PLACED_PER_SECOND = 50
DRAIN_SECONDS = 2.0
NEVER = 1 << 30


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {"cores": os.cpu_count(), "cpu": model, "kernel": platform.release(),
            "load_before": round(os.getloadavg()[0], 2)}


def percentile(values, share):
    """The smallest value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)] if ordered else None


def spread(values):
    """p50, p99, least and most, to a tenth."""
    if not values:
        return {"p50": None, "p99": None, "min": None, "max": None}
    return {name: round(value, 1) for name, value in (
        ("p50", percentile(values, 0.50)), ("p99", percentile(values, 0.99)), ("min", min(values)),
        ("max", max(values)))}


class Scene:
    def __init__(self, build, calls, say, groups=None, answer_after=0.0, changes=None, prepare=None):
        """groups: of a world, the registry's groups; None: whoever calls is connected. It is called before the gateway is
        made, and prepare, with the gateway, before it starts."""
        self.calls, self.say = calls, say
        self._stack = contextlib.ExitStack()
        try:
            self._make(build, groups, answer_after, changes, prepare)
        except BaseException:
            self.close(failed=True)
            raise

    def _make(self, build, groups, answer_after, changes, prepare):
        self.world = World(build, keep=os.path.join(build, "perf-failed"))
        trunks = [{"name": "caller", "address": network.CALLER, "calls_per_second": 10000, "max_calls": 10000},
                  {"name": "callee", "address": network.CALLEE, "calls_per_second": 10000, "max_calls": 10000,
                   "target": network.CALLEE}]
        own = settings.merge({"sip": {"trunks": trunks}, "media": {"port_max": 22999},
                              "journal": {"checkpoint_records": 16384}}, changes)
        found = groups(self.world) if groups else self.world.documents(document.response(document.dial(DIALLED),
                                                                                         document.hangup()))
        self.gateway = self.world.make_gateway(found, own)
        if prepare:
            prepare(self.gateway)
        self.gateway.start()
        self._prefer_worker()
        self.supervisor = Supervisor(self.gateway, self.say, starts=NEVER)
        self._stack.callback(self.supervisor.close)
        hosts = self.world.network.caller, self.world.network.callee
        self.loads = [self._with(load.Load(host, self.world.directory, build, MEDIA_PORT)) for host in hosts]
        self.ends = [self._with(far_end.FarEnd(host, MEDIA_PORT, self._follow(one), answer_after))
                     for host, one in zip(hosts, self.loads)]
        self.caller, self.callee = self.ends

    def _prefer_worker(self):
        """It shares its processor with everything else here, and 20 ms without it fill AF_XDP's ring; where calls
        matter it has one to itself. The main thread stays as it is: it waits for the worker by spinning."""
        tasks = f"/proc/{self.gateway.plane('dataplane').pid}/task"
        for thread in os.listdir(tasks):
            with open(os.path.join(tasks, thread, "comm"), encoding="ascii") as name:
                if name.read().startswith("rte-worker"):
                    os.sched_setscheduler(int(thread), os.SCHED_FIFO, os.sched_param(1))

    def _with(self, thing):
        self._stack.callback(thing.close)
        return thing

    @staticmethod
    def _follow(one):
        """A call's RTP begins when it is answered and ends with it."""
        def changed(call):
            if call.state == "answered" and call.media:
                one.add(call.index, call.media)
            elif call.state == "ended" and call.media:
                one.remove(call.index)
        return changed

    def place(self):
        """All calls at the same time; when the last one stands, both ends of all begin to talk."""
        follow = [end.on_change for end in self.ends]
        for end in self.ends:
            end.on_change = lambda call: None
        for _ in range(self.calls):
            self.caller.call(registry.NUMBER)
            time.sleep(1 / PLACED_PER_SECOND)
        for end in self.ends:
            end.wait(f"{self.calls} calls answered", lambda end=end: end.count("answered") == self.calls, 60)
        for end, changed in zip(self.ends, follow):
            for call in list(end.calls.values()):
                changed(call)
            end.on_change = changed
        time.sleep(1)

    def hush(self):
        """No more RTP is sent; what is on its way arrives."""
        for end, one in zip(self.ends, self.loads):
            for call in list(end.calls.values()):
                if call.state == "answered" and call.media:
                    one.remove(call.index)
            end.on_change = lambda call: None
        time.sleep(DRAIN_SECONDS)

    def hang_up(self):
        """The callers end all calls. Returns how many calls both ends saw end so."""
        for call in list(self.caller.calls.values()):
            self.caller.hang_up(call)
            time.sleep(1 / (4 * PLACED_PER_SECOND))
        self.caller.wait("BYEs answered", lambda: self.caller.busy() == 0, 40)
        with contextlib.suppress(Failure):
            self.callee.wait("calls ended", lambda: self.callee.count("ended") == len(self.callee.calls), 10)
        return min(self.caller.count("ended", "here"), self.callee.count("ended", "there"))

    def kill(self, plane, count, least, most, seed):
        """Kills it at `count` random moments while it is ready. Returns [(moment in ns since 1970, ms from the
        new process's start to event=ready, sessions taken up, ms that the control plane says that took)]."""
        moments, killed = random.Random(seed), []
        for number in range(1, count + 1):
            time.sleep(moments.uniform(least, most))
            so_far = len(self.supervisor.starts(plane))
            at = time.time_ns()
            self.gateway.plane(plane).send(9)
            start = self.supervisor.wait_start(plane, so_far + 1)
            start.process.wait_for_line(r"\bevent=ready\b", 60)
            ready = time.monotonic()
            if plane == "dataplane":
                self._prefer_worker()
            taken = took = 0
            if plane == "control":
                line = start.process.wait_for_line(r"event=taken-up sessions=(\d+) closed_by_record=\d+ ms=(\d+)", 60)
                taken, took = map(int, line.groups())
            killed.append((at, (ready - start.at) * 1000, taken, took))
            self.say(f"kill {number} of {plane}: ready after {killed[-1][1]:.0f} ms")
        time.sleep(least)
        return killed

    def dropped_on_the_way(self):
        """Packets that the kernel dropped on the cables between far ends, switch and gateway, so far, by where."""
        found = {}
        for host in ("caller", "callee", "switch", "gateway"):
            namespace = getattr(self.world.network, host)
            for link in json.loads(call("ip", "-n", namespace.name, "-s", "-j", "link")):
                for way, figures in link.get("stats64", {}).items():
                    if figures["dropped"]:
                        found[f"{host}/{link['ifname']}/{way}"] = figures["dropped"]
        return found

    def reports(self):
        return [one.report() for one in self.loads]

    def end(self):
        """Stops the gateway in order; that must go well too."""
        self.supervisor.rest()
        self.world.finish()

    def close(self, failed=False):
        self._stack.close()
        if hasattr(self, "world"):
            self.world.close(failed)


# --- what the figures say -----------------------------------------------------------------------------------


def packets(reports):
    """Sent, heard by the other end, lost and repeated on the way, both directions together. Of those lost: how many
    were sent before the first of their stream that came through."""
    sent = heard = repeated = early = 0
    for here, there in (reports, reversed(reports)):
        sent += sum(here["sent"].values())
        heard += sum(count for count, _, _ in there["through"].values())
        repeated += sum(again for _, again, _ in there["through"].values())
        early += sum(first for _, _, first in there["through"].values())
    return {"sent_packets": sent, "lost_packets": sent - heard, "lost_before_first_heard": early,
            "repeated_packets": repeated,
            "overflowed_in_load": sum(one["overflowed"] for one in reports)}


def streams(reports):
    heard = [one for report in reports for one in report["heard"].values()]
    return {"streams": len(heard), "ssrc_changes": sum(one[1] for one in heard),
            "sequence_gaps": sum(one[2] for one in heard)}


def longest_gaps_ms(reports, moments, window_ns=5_000_000_000):
    """Per kill and stream: the longest time between two packets heard of which the kill (or its consequence, within
    the window and before the next kill) lies in between. A stream without one longer than rtp_load's 30 ms counts
    as 30 ms."""
    found = []
    for report in reports:
        by_port = {port: [] for port in report["heard"]}
        for port, begun, over in report["gaps"]:
            by_port[port].append((over, begun))
        for gaps in by_port.values():
            gaps.sort()
            for number, moment in enumerate(moments):
                limit = min([moment + window_ns, *moments[number + 1:number + 2]])
                found.append(_longest(gaps, moment, limit))
    return found


def _longest(gaps, moment, limit):
    longest = 30.0
    for over, begun in gaps[bisect.bisect_left(gaps, (moment, 0)):]:
        if begun > limit:
            break
        longest = max(longest, (over - begun) / 1e6)
    return longest


def records(scene, reports):
    """Waits for the rows of all calls. What is missing in them, what they say is uncertain because the dataplane was
    replaced, and how far they are from the packets that the far ends counted. A row that is partial for another
    reason counts as lost."""
    try:
        rows = scene.world.rows(sessions=scene.calls, timeout=60, certain=False)
    except Failure as failure:
        scene.say(str(failure))
        rows = scene.world.rows(sessions=0, certain=False)
    missing = {"sessions": scene.calls - len(rows.sessions()), "legs": 2 * scene.calls - len(rows.legs()),
               "stints": scene.calls - len(rows.stints())}
    uncertain = [row for row in rows.rows if (row["partial"] or "").startswith(check.REPLACED)]
    partial = sum(bool(row["partial"]) for row in rows.rows) - len(uncertain)
    legs = {name: sum(row[name] or 0 for row in rows.legs()) for name in ("from_packets", "to_packets")}
    sent = sum(sum(one["sent"].values()) for one in reports)
    heard = sum(stream[0] for one in reports for stream in one["heard"].values())
    audit = scene.gateway.tool.json("audit").get("audit")
    return {"lost_records": sum(map(abs, missing.values())) + partial, "missing_rows": missing, "partial_rows": partial,
            "uncertain_records": len(uncertain),
            "uncertain_packets": sum(row["uncertain_packets"] or 0 for row in rows.legs()),
            "outage_ms": spread([row["outage_ms"] for row in rows.legs() if row["outages"]]),
            "metered_minus_sent": legs["from_packets"] - sent, "metered_minus_heard": legs["to_packets"] - heard,
            "audit": audit}
