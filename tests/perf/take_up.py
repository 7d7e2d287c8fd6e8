"""take-up: the control plane killed under ten thousand standing calls: how soon is it back, and are they all there?

Each call is one leg that was answered and gathers digits while a long pause lasts: a session, a dialog and a row as
of any call, without RTP, which is the dataplane's and has benches of its own."""

import re
import select
import threading
import time

import scene
from bed import cdr, document, network, registry
from bed.process import Failure, wait_until

CALLS = 10000
KILLS = 5
PLACED_PER_SECOND = 200
BETWEEN = 1.0, 3.0  # seconds from a return to the next kill
PAUSE = 14400       # longer than any run
STAGES = {"journal_read_ms": r"event=read records=\d+ segments=\d+ ms=(\d+)",
          "sessions_ms": r"event=taken-up sessions=\d+ closed_by_record=\d+ ms=(\d+)",
          "whole_start_ms": r"event=ready .*\bms=(\d+)"}
CHECKPOINT = re.compile(r"event=checkpoint-used .*\bms=(\d+)")  # with few calls there is none


class Prober:
    """Asks the gateway OPTIONS every few milliseconds, and notes when an answer comes."""

    PORT, EVERY = 5070, 0.005

    def __init__(self, host):
        self._host = host
        self._socket = host.socket(bind=(host.address, self.PORT))
        self._answers = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        number, after = 0, time.monotonic()
        while not self._over.is_set():
            ready, _, _ = select.select([self._socket], [], [], max(0, after - time.monotonic()))
            if ready:
                self._socket.recv(65535)
                self._answers.append(time.monotonic())
            if time.monotonic() >= after:
                number, after = number + 1, time.monotonic() + self.EVERY
                self._socket.sendto(self._text(number).encode(), (network.GATEWAY, 5060))

    def _text(self, number):
        here = f"{self._host.address}:{self.PORT}"
        return "\r\n".join([
            f"OPTIONS sip:{network.GATEWAY} SIP/2.0", f"Via: SIP/2.0/UDP {here};branch=z9hG4bK-probe-{number}",
            "Max-Forwards: 70", f"From: <sip:probe@{here}>;tag=p{number}", f"To: <sip:{network.GATEWAY}>",
            f"Call-ID: probe-{number}@{here}", "CSeq: 1 OPTIONS", "Content-Length: 0", "", ""])

    def first_after(self, moment):
        return next((at for at in list(self._answers) if at > moment), None)

    def close(self):
        self._over.set()
        self._thread.join()
        self._socket.close()


def _settings(calls):
    trunk = {"calls_per_second": 10000, "max_calls": calls}
    return {"sip": {"max_sessions": calls + 100,
                    "trunks": [{"name": "caller", "address": network.CALLER, **trunk},
                               {"name": "callee", "address": network.CALLEE, **trunk, "target": network.CALLEE}]},
            "media": {"port_min": 10000, "port_max": min(65535, 10000 + 2 * (calls + 500) - 1), "timeout_ms": 0}}


def _groups(world):
    return world.documents(document.response(document.gather("next.xml", document.pause(PAUSE)), document.hangup()))


def _place(stage, calls):
    stage.caller.on_change = lambda call: None  # no RTP
    begun = time.monotonic()
    for number in range(calls):
        stage.caller.call(registry.NUMBER)
        time.sleep(max(0, begun + (number + 1) / PLACED_PER_SECOND - time.monotonic()))
    wait_until(f"{calls} calls answered", lambda: stage.caller.count("answered") == calls, 60, 0.2)


def _kill(stage, kills, seed):
    """Returns what scene.kill() does, the stages of each start: {name: [ms]}, and [ms from it to the first answer]."""
    before = len(stage.supervisor.starts("control"))
    prober = Prober(stage.world.network.caller)
    try:
        killed = stage.kill("control", kills, *BETWEEN, seed)
    finally:
        prober.close()
    stages, answers = {name: [] for name in STAGES}, []
    for start in stage.supervisor.starts("control")[before:]:
        for name, pattern in STAGES.items():
            stages[name].append(int(start.process.wait_for_line(pattern, 10).group(1)))
        found = [match for match in map(CHECKPOINT.search, start.process.lines()) if match]
        if found:
            stages.setdefault("checkpoint_ms", []).append(int(found[0].group(1)))
        answer = prober.first_after(start.at)
        answers.append((answer - start.at) * 1000 if answer else float("inf"))
    return killed, stages, answers


def _hang_up(stage):
    """The callers end all calls. Returns how many of their BYEs were answered."""
    for call in list(stage.caller.calls.values()):
        stage.caller.hang_up(call)
        time.sleep(1 / (2 * PLACED_PER_SECOND))
    wait_until("BYEs answered", lambda: stage.caller.busy() == 0, 60, 0.2)
    return stage.caller.count("ended", "here") - len(stage.caller.late_faults)


def _records(stage, calls):
    """What is missing or uncertain among the rows of all calls."""
    def sessions():
        return cdr.read(stage.gateway.cdr_directory).sessions()
    try:
        wait_until(f"{calls} session rows", lambda: len(sessions()) >= calls, 60, 1.0)
    except Failure as failure:
        stage.say(str(failure))
    rows = cdr.read(stage.gateway.cdr_directory)
    rows.check_numbers()
    missing = {"sessions": calls - len(rows.sessions()), "legs": calls - len(rows.legs()),
               "stints": calls - len(rows.stints())}
    partial = sum(bool(row["partial"]) for row in rows.rows)
    return {"lost_records": sum(map(abs, missing.values())) + partial, "missing_rows": missing,
            "partial_rows": partial}


def run(options, say):
    calls = options.calls or CALLS
    kills = options.kills or KILLS
    stage = scene.Scene(options.build, calls, say, _groups, changes=_settings(calls))
    failed = True
    try:
        say(f"placing {calls} calls, {PLACED_PER_SECOND} a second")
        _place(stage, calls)
        killed, stages, answers = _kill(stage, kills, options.seed)
        audit_between = stage.gateway.tool.json("audit").get("audit")
        answered = _hang_up(stage)
        result = {"calls": calls, "kills": kills, "seed": options.seed,
                  "calls_taken_up": sum(sessions for _, _, sessions, _ in killed) / (calls * len(killed)),
                  "back_ms": scene.spread([ms for _, ms, _, _ in killed]),
                  "first_answer_ms": scene.spread(answers),
                  "of_it": {name: scene.spread(values) for name, values in stages.items()},
                  **_records(stage, calls), "byes_answered": answered, "audit_between": audit_between,
                  "audit": stage.gateway.tool.json("audit").get("audit")}
        result["reached"] = (result["back_ms"]["p99"] < 1000 and result["first_answer_ms"]["p99"] < 1000
                             and result["calls_taken_up"] == 1
                             and result["lost_records"] == 0 and answered == calls
                             and result["audit_between"] == result["audit"] == "ok")
        stage.end()
        failed = False
        return result
    finally:
        stage.close(failed)
