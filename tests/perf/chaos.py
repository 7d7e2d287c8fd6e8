"""chaos: calls come and go while everything is killed at random. Is there a call that the records don't explain?

Each call is played a prompt, handed over to another account's module, and joined with a callee; either end hangs
up at a random moment, in whatever state the call is. Meanwhile the planes, the media worker and the application
server are killed, one at a time or both planes together. A row that says why its figures are uncertain explains
itself; one that is missing, or whose parts don't add up, does not."""

import collections
import contextlib
import os
import random
import shutil
import signal
import threading
import time

import scene
from bed import cdr, check, document, registry
from bed.process import Failure, wait_until

CALLS_PER_SECOND = 4
LONGEST_CALL = 8.0
PROMPT_SECONDS = 1
VICTIMS = ("control", "dataplane", "both planes", "media worker", "application server")
AUDIT_SECONDS = 15  # a plane that has just come back needs a moment until the other knows


class Prompts:
    """New ones all the time, so that the media layer has something to do."""

    def __init__(self, world):
        self._world, self._count = world, 0
        world.prompt("prompt.wav", seconds=PROMPT_SECONDS)

    def text(self):
        return document.response(document.play(f"{self._world.web.url}/prompt-{self._count}.wav"),
                                 document.module(registry.CONNECT))

    def renew(self):
        self._count += 1
        shutil.copyfile(self._world.web.path("prompt.wav"), self._world.web.path(f"prompt-{self._count}.wav"))
        path = self._world.web.path("front-desk/start.xml")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(self.text())
        os.replace(path + ".new", path)


class Callers:
    """Places calls, and has either end hang up after a while, until rest()."""

    def __init__(self, stage, seed):
        self._stage, self._random = stage, random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.wait(self._random.expovariate(CALLS_PER_SECOND)):
            call = self._stage.caller.call(registry.NUMBER)
            self._hang_up_later(self._stage.caller, call, self._random.uniform(0.2, LONGEST_CALL))
            if self._random.random() < 0.3:
                callees = list(self._stage.callee.calls.values())
                if callees:
                    self._stage.callee.hang_up(callees[-1])

    def _hang_up_later(self, end, call, seconds):
        """One that is not answered yet is tried again a little later."""
        def hang_up():
            end.hang_up(call)
            if call.state == "trying":
                self._hang_up_later(end, call, 1.0)
        end.after(seconds, hang_up)

    def rest(self):
        self._over.set()
        self._thread.join()


def _media_workers(stage):
    found = []
    tasks = f"/proc/{stage.gateway.plane('control').pid}/task"
    with contextlib.suppress(OSError):
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/children", encoding="ascii") as file:
                for pid in map(int, file.read().split()):
                    with open(f"/proc/{pid}/comm", encoding="ascii") as name:
                        if name.read().startswith("tollgate-media"):
                            found.append(pid)
    return found


def _kill_planes(stage, planes):
    before = {plane: len(stage.supervisor.starts(plane)) for plane in planes}
    for plane in planes:
        stage.gateway.plane(plane).send(signal.SIGKILL)
    for plane in planes:
        stage.supervisor.wait_start(plane, before[plane] + 1).process.wait_for_line(r"\bevent=ready\b", 60)


def _kill(stage, prompts, victim, random_seconds):
    """Returns whether there was anything to kill."""
    if victim == "media worker":
        prompts.renew()
        try:
            pids = wait_until("a media worker", lambda: _media_workers(stage), timeout=2, interval=0.001)
        except Failure:
            return False
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    elif victim == "application server":
        stage.world.web.kill()
        time.sleep(random_seconds)
        stage.world.web.start_again()
    else:
        _kill_planes(stage, ("control", "dataplane") if victim == "both planes" else (victim,))
    return True


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


# --- what the records say -----------------------------------------------------------------------------------


def _faults(rows, session, legs, stints):
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


def _judge(stage, rows):
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
        found += [f"{name}: {fault}" for fault in _faults(rows, parts["session"][0], parts["leg"], stints)]
    recorded = collections.Counter(row["call_id"] for row in rows.legs())
    for end in stage.ends:
        for call in list(end.calls.values()):
            if call.status == 200 and recorded[call.id] != 1:
                found.append(f"{end.host.host}'s call {call.id}, answered and ended ({call.end}), has "
                             f"{recorded[call.id]} leg rows")
    return found


def _rows_of_all(stage):
    """The rows, when every answered call has one and no leg is open; whatever there is after a minute."""
    def complete():
        rows = cdr.read(stage.gateway.cdr_directory)
        recorded = {row["call_id"] for row in rows.legs()}
        return all(call.id in recorded for end in stage.ends for call in list(end.calls.values())
                   if call.status == 200)
    with contextlib.suppress(Failure):
        wait_until("rows of all calls", complete, timeout=60, interval=0.5)
    rows = cdr.read(stage.gateway.cdr_directory)
    rows.check_numbers()
    return rows


def _storm(stage, prompts, options, say):
    """Returns (kills by victim, audits)."""
    moments = random.Random(options.seed)
    killed, audits = collections.Counter(), []
    over = time.monotonic() + options.seconds
    while time.monotonic() < over:
        time.sleep(moments.uniform(0.5, 4.0))
        victim = moments.choice(VICTIMS)
        killed[victim] += _kill(stage, prompts, victim, moments.uniform(0.0, 3.0))
        if sum(killed.values()) % 5 == 0:
            audits.append(_audit(stage))
            say(f"{sum(killed.values())} kills, callers: {stage.caller.summary()}; audit {audits[-1]}")
    return killed, audits


def run(options, say):
    prompts = None

    def text(world):
        nonlocal prompts
        prompts = Prompts(world)
        prompts.renew()
        return prompts.text()

    stage = scene.Scene(options.build, 0, say, text, answer_after=0.1)
    failed = True
    try:
        callers = Callers(stage, options.seed)
        killed, audits = _storm(stage, prompts, options, say)
        callers.rest()
        stage.caller.wait("all calls over", lambda: stage.caller.count("ended") == len(stage.caller.calls), 60)
        stage.callee.wait("all calls over", lambda: stage.callee.count("ended") == len(stage.callee.calls), 60)
        rows = _rows_of_all(stage)
        audits.append(_audit(stage))
        faults = _judge(stage, rows) + [f"audit: {said}" for said in audits if said != "ok"]
        legs = sum(row["to_packets"] or 0 for row in rows.legs())
        uncertain = sum(row["uncertain_packets"] or 0 for row in rows.legs())
        heard = sum(one[0] for report in stage.reports() for one in report["heard"].values())
        if heard > legs + uncertain:
            faults.append(f"{heard} packets heard, {legs} metered, {uncertain} more called uncertain")
        for fault in faults[:20]:
            say(f"unexplained: {fault}")
        result = {"seconds": options.seconds, "seed": options.seed, "kills": dict(killed),
                  "calls": len(stage.caller.calls), "answered": sum(call.status == 200 for call in
                                                                    stage.caller.calls.values()),
                  "callers_saw": stage.caller.summary(), "callees_saw": stage.callee.summary(),
                  "sessions": len(rows.sessions()), "rows": len(rows.rows),
                  "partial_sessions": dict(collections.Counter(row["partial"] for row in rows.sessions()
                                                               if row["partial"])),
                  "metered_minus_heard": legs - heard, "uncertain_packets": uncertain, "audits": len(audits),
                  "unexplained": len(faults),
                  "reached": not faults}
        stage.end()
        failed = bool(faults)
        return result
    finally:
        stage.close(failed)
