"""chaos: calls come and go while everything fails at random. Is there a call that the records don't explain?

Calls of every shape (chaos_calls.py) meet everything that can happen to a gateway (chaos_storm.py). A row that says why
its figures are uncertain explains itself; one that is missing, or whose parts don't add up, does not. A plane that ends
by itself, and an error in the log that nothing of this explains, are findings too."""

import collections
import contextlib
import json
import os
import re
import signal
import time

import chaos_calls
import chaos_storm
import scene
from bed import cdr, check
from bed.disk import SmallDisk
from bed.process import Failure, wait_until
from bed.supervisor import ending
from bed.wall_clock import WallClock

AUDIT_SECONDS = 15   # a plane that has just come back needs a moment until the other knows
AUDIT_EVERY = 5      # events
PROGRESS_SECONDS = 60
SHOWN = 30
# Errors in the log that belong to what was done: what happened -> lines.
EXPECTED_ERRORS = {
    "disk full": (r"event=write-failed", r"event=not-started .*cannot cut the damaged tail",
                  r"event=not-started .*No space left on device"),
    "link down": (r"event=not-started .*(media0|[Nn]etwork is down)",),
}


def _audit(stage):
    """"ok", or what it said to the end."""
    deadline = time.monotonic() + AUDIT_SECONDS
    while True:
        try:
            said = stage.gateway.tool.json("audit")
            if said.get("audit") == "ok":
                return "ok"
        except Failure as failure:
            said = str(failure)
        if time.monotonic() > deadline:
            stage.say(f"audit: {said}")
            return said
        time.sleep(0.5)


def _verify(stage, *journal):
    """What `tollgate cdr verify` finds, as sentences; and what it counted."""
    said = stage.gateway.tool.text("--json", "cdr", "verify", stage.gateway.cdr_directory, *journal, check=False)
    try:
        report = json.loads(said)
    except ValueError:
        return [f"tollgate cdr verify: {said[:300] or 'nothing'}"], {}
    return [f"tollgate cdr verify: {fault['file']}:{fault['line']}: {fault['fault']}"
            for fault in report["first_faults"]], report


class Uses:
    """Memory and descriptors of the planes: of the first process of each, and of the last one."""

    def __init__(self, stage):
        self._stage = stage
        self._first = self._now()

    def _now(self):
        return {plane: self._of(self._stage.gateway.plane(plane).pid) for plane in chaos_storm.PLANES}

    @staticmethod
    def _of(pid):
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            rss = int(re.search(r"^VmRSS:\s*(\d+) kB", status.read(), re.M).group(1))
        return rss, len(os.listdir(f"/proc/{pid}/fd"))

    def report(self):
        last = self._now()
        return {name: {plane: [self._first[plane][which], last[plane][which]] for plane in last}
                for which, name in enumerate(("rss_kib", "fds"))}


# --- what the records say -----------------------------------------------------------------------------------


def _faults(session, legs, stints):
    """What is incomplete about one session's rows."""
    found = []
    if len(legs) < 1 or len(stints) < 1:
        return [f"{len(legs)} leg rows and {len(stints)} stint rows"]
    for row in (session, *legs, *stints):
        if not row["end_time"] or not (row["setup_time"] or row["start_time"]):
            found.append(f"a {row['type']} row without its times")
    try:
        check.stints_meet(stints)
    except Failure as failure:
        found.append(str(failure))
    for name in ("to_caller_packets", "from_caller_packets", "to_callee_packets", "from_callee_packets"):
        if (session[name] or 0) != sum(stint[name] or 0 for stint in stints):
            found.append(f"{name} of the session is not that of its stints")
    return found


def _judge_rows(stage, rows):
    """Sentences about what the rows don't explain."""
    found = []
    by_session = collections.defaultdict(lambda: {"session": [], "leg": [], "stint": []})
    for row in rows.rows:
        by_session[row["session"]][row["type"]].append(row)
    for name, parts in by_session.items():
        if len(parts["session"]) != 1:
            found.append(f"{name} has {len(parts['session'])} session rows")
            continue
        stints = sorted(parts["stint"], key=lambda row: row["stint"])
        found += [f"{name}: {fault}" for fault in _faults(parts["session"][0], parts["leg"], stints)]
    recorded = collections.Counter(row["call_id"] for row in rows.legs())
    for end in stage.ends:
        for one in list(end.calls.values()):
            if one.status == 200 and recorded[one.id] != 1:
                found.append(f"{end.host.host}'s call {one.id}, answered and ended ({one.end}), has "
                             f"{recorded[one.id]} leg rows")
            if one.outgoing and one.end == "silence":
                found.append(f"{end.host.host}'s call {one.id} was never answered, in no way")
    return found


def _sessions_taken(stage):
    """Of the log: sessions that were begun, by id."""
    with open(os.path.join(stage.world.directory, "control.log"), encoding="utf-8", errors="replace") as log:
        return set(re.findall(r"\bid=(SE[0-9a-f]{32}) event=call ", log.read()))


def _judge_planes(stage, storm):
    """Planes that ended otherwise than they were made to, and errors in their logs."""
    allowed = [re.compile(pattern) for reason in storm.reasons for pattern in EXPECTED_ERRORS[reason]]
    starts = stage.supervisor.starts()
    found = [f"{start.plane} {ending(start.status)}" for start in starts
             if start.status not in (-signal.SIGKILL, -signal.SIGABRT) and not (start.status == 1 and storm.reasons)]
    for plane in chaos_storm.PLANES:
        aborts = sum(start.plane == plane and start.status == -signal.SIGABRT for start in starts)
        if aborts > storm.long_stops[plane]:
            found.append(f"{plane} was aborted {aborts} times, and stopped for that long {storm.long_stops[plane]} times")
    for plane in chaos_storm.PLANES:
        with open(os.path.join(stage.world.directory, f"{plane}.log"), encoding="utf-8", errors="replace") as log:
            for line in log:
                if " level=error " in line and not any(pattern.search(line) for pattern in allowed):
                    found.append(f"{plane}: {line.strip()[:400]}")
    return found


def _excerpt(stage, fault, lines=12):
    """What the control plane's log has about the session or call that a fault names."""
    named = re.search(r"SE[0-9a-f]{32}|\b\w+-[0-9a-f]{12,}-\d+\b", fault)
    if not named:
        return
    with open(os.path.join(stage.world.directory, "control.log"), encoding="utf-8", errors="replace") as log:
        found = [line.rstrip()[:300] for line in log if named.group(0) in line]
    session = re.search(r"SE[0-9a-f]{32}", found[0]) if found else None
    if session and session.group(0) != named.group(0):
        _excerpt(stage, session.group(0), lines)
        return
    for line in found[-lines:]:
        stage.say(f"    {line}")


def _rows_of_all(stage):
    """The rows, when every session that was begun has its own and every answered call a leg's; whatever there is after
    a minute."""
    taken = _sessions_taken(stage)

    def complete():
        rows = cdr.read(stage.gateway.cdr_directory)
        recorded = {row["call_id"] for row in rows.legs()}
        return taken <= {row["session"] for row in rows.sessions()} and all(
            one.id in recorded for end in stage.ends for one in list(end.calls.values()) if one.status == 200)
    with contextlib.suppress(Failure):
        wait_until("rows of all calls", complete, timeout=60, interval=0.5)
    rows = cdr.read(stage.gateway.cdr_directory)
    without = taken - {row["session"] for row in rows.sessions()}
    return rows, [f"{session} was begun and has no session row" for session in sorted(without)]


class _Watch:
    """Between two events: audits, and a word now and then."""

    def __init__(self, stage, storm, uses):
        self._stage, self._storm, self._uses = stage, storm, uses
        self._next = time.monotonic() + PROGRESS_SECONDS
        self.audits, self.faults = [], []

    def look(self, done, name):
        if done % AUDIT_EVERY == 0:
            self.audit(f"after {done} events, the last: {name}")
        if time.monotonic() > self._next:
            self._next += PROGRESS_SECONDS
            uses = self._uses.report()
            self._stage.say(f"{done} events; callers: {self._stage.caller.summary()}; {len(self.faults)} faults; "
                            f"rss_kib {uses['rss_kib']}, fds {uses['fds']}")

    def audit(self, when):
        said = _audit(self._stage)
        self.audits.append(said)
        found = ([f"audit {when}: {said}"] if said != "ok" else []) + _verify(self._stage)[0]
        for fault in found:
            self._stage.say(f"{when}: {fault}")
        self.faults += found


def _wait_over(stage):
    """All calls end. Sentences about those that don't."""
    found = []
    for end in stage.ends:
        try:
            end.wait("all calls over", lambda end=end: end.count("ended") == len(end.calls) and not end.busy(), 110)
        except Failure as failure:
            found.append(str(failure))
            found += [f"{end.host.host}'s call {one.id} is still {one.state}" for one in list(end.calls.values())
                      if one.state != "ended"][:5]
    return found


def run(options, say):
    made = {}

    def groups(world):
        made["disk"] = SmallDisk(world, mib=int(64 + options.seconds / 4))
        made["clock"] = WallClock(world)
        made["book"] = chaos_calls.Book(world)
        return made["book"].groups()

    stage = scene.Scene(options.build, 0, say, groups, answer_after=0.1,
                        prepare=lambda gateway: made["clock"].attach(gateway))
    failed = True
    try:
        result = _run(stage, options, made)
        failed = not result["reached"]
        return result
    finally:
        stage.close(failed)


def _run(stage, options, made):
    uses = Uses(stage)
    callers = chaos_calls.Callers(stage, options.seed, options.seconds)
    storm = chaos_storm.Storm(stage, made["book"], made["disk"], made["clock"], options.seed)
    watch = _Watch(stage, storm, uses)
    storm.run(time.monotonic() + options.seconds, 4.0 if options.seconds > 120 else 1.5, watch.look)
    callers.rest()
    faults = _wait_over(stage)
    callers.close()
    rows, missing = _rows_of_all(stage)
    watch.audit("at the end")
    journal, report = _verify(stage, os.path.join(os.path.dirname(stage.gateway.cdr_directory), "journal"))
    faults += watch.faults + missing + journal + _judge_rows(stage, rows) + _judge_planes(stage, storm)
    faults += [f"{end.host.host}: {fault}" for end in stage.ends for fault in end.late_faults]
    heard = callers.heard_by_phones + sum(one[0] for report in stage.reports() for one in report["heard"].values())
    metered = sum(row["to_packets"] or 0 for row in rows.legs())
    uncertain = sum(row["uncertain_packets"] or 0 for row in rows.legs())
    if heard > metered + uncertain:
        faults.append(f"{heard} packets heard, {metered} metered, {uncertain} more called uncertain")
    for fault in faults[:SHOWN]:
        stage.say(f"unexplained: {fault}")
        _excerpt(stage, fault)
    result = {"seconds": options.seconds, "seed": options.seed, "events": dict(storm.happened),
              "calls": len(stage.caller.calls), "answered": sum(one.status == 200 for one in
                                                                stage.caller.calls.values()),
              "shapes": callers.placed, "never_acknowledged": callers.silent,
              "callers_saw": stage.caller.summary(), "callees_saw": stage.callee.summary(),
              "sessions": len(rows.sessions()), "rows": len(rows.rows),
              "partial_sessions": dict(collections.Counter(row["partial"] for row in rows.sessions()
                                                           if row["partial"])),
              "metered_minus_heard": metered - heard, "uncertain_packets": uncertain,
              "audits": len(watch.audits), "cdr_verify": {name: report.get(name) for name in (
                  "ok", "files", "rows", "sessions", "uncertain_sessions", "compared_with_journal")},
              **uses.report(), "unexplained": len(faults), "reached": not faults}
    stage.end()
    return result
