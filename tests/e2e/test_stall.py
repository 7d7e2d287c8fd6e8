"""Something stands still: one worker, the loop of SIP, or a whole plane. Whatever it is, it is said, calls go on, and
the records are exact."""

import contextlib
import json
import os
import re
import signal
import sys

from bed import check, document, freeze, gateway, network, registry, rtp, scenario as sip, unit
from bed.conductor import media
from bed.process import Failure, Process, wait_until
from bed.supervisor import Supervisor
from test_killed import bridged
from test_relay import CALLS

STILL_PACKETS = 250  # 5 s of them


def threads(process):
    """The threads of a process: name by id."""
    found = {}
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{thread}/comm", encoding="utf-8") as file:
            found[int(thread)] = file.read().strip()
    return found


@contextlib.contextmanager
def frozen(world, thread):
    """One thread stands still while the block runs."""
    helper = Process([sys.executable, freeze.__file__, thread], os.path.join(world.directory, f"freeze.{thread}.log"))
    try:
        helper.wait_for_line("^frozen$")
        yield
    finally:
        helper.kill()


@contextlib.contextmanager
def supervised(world):
    said = []
    supervisor = Supervisor(world.gateway, say=said.append)
    try:
        yield supervisor, said
        supervisor.rest()
        world.gateway.stop()
    finally:
        supervisor.close()


def thread_of(process, pattern):
    found = [thread for thread, name in threads(process).items() if re.match(pattern, name)]
    check.equal(f"threads {pattern}", len(found), 1)
    return found[0]


def worker_of(process):
    return thread_of(process, r"(rte|lcore)-worker")


def state(world):
    return world.gateway.tool.json("stats")["workers"][0]["state"]


def count(process, pattern):
    return sum(bool(re.search(pattern, line)) for line in process.lines())


def speak(phones, remotes):
    for phone, remote in zip(phones, remotes):
        phone.speak_on(remote)
    phones[0].wait_received(50)


def hush(phones):
    """Everything that was said has been heard."""
    sent = [phone.hush() for phone in phones]
    phones[0].wait_received(sent[1])
    phones[1].wait_received(sent[0])


def go_on(phones, packets=50):
    wanted = [phone.received + packets for phone in phones]
    for phone, so_many in zip(phones, wanted):
        phone.wait_received(so_many)


def one_stream_each(world):
    """One SSRC each, no number missing or repeated. Returns the captures' streams."""
    caller, callee = world.streams("caller"), world.streams("callee")
    check.one_voice(caller, network.CALLER, spacing=False)
    check.one_voice(callee, network.CALLEE, spacing=False)
    return caller, callee


def case_worker_stuck_and_going_on(world):
    """Both planes say so, once; when it goes on they say that too."""
    phones, remotes, calling, answered, called = bridged(world)
    speak(phones, remotes)
    dataplane, control = world.gateway.plane("dataplane"), world.gateway.plane("control")
    check.equal("the worker's state", state(world), "running")
    with frozen(world, worker_of(dataplane)):
        dataplane.wait_for_line(r"area=dataplane .*event=worker-stuck worker=0 since_ms=1\d\d\d ")
        control.wait_for_line(r"area=link .*event=worker-stuck worker=0 since_ms=\d+")
        check.equal("the worker's state", state(world), "stuck")
        if not re.search(r"^0 +stuck ", world.gateway.tool.text("top"), re.M):
            raise Failure("tollgate top does not show that the worker is stuck")
    dataplane.wait_for_line(r"area=dataplane .*event=worker-alive worker=0 after_ms=\d+")
    control.wait_for_line(r"area=link .*event=worker-alive worker=0")
    go_on(phones)
    check.equal("the worker's state", state(world), "running")
    for plane in dataplane, control:
        check.equal(f"what {plane.name} said of it", count(plane, "event=worker-(stuck|alive)"), 2)
        check.equal(f"whether {plane.name} stood still", count(plane, "event=stood-still"), 0)
    hush(phones)
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows()
    check.packets(rows.stints(), *one_stream_each(world))
    world.audit()


def case_worker_stuck_under_a_supervisor(world):
    """The watchdog is not told that all is well, and the process is replaced: media goes on."""
    phones, remotes, calling, answered, called = bridged(world)
    with supervised(world) as (supervisor, said):
        speak(phones, remotes)
        dataplane = world.gateway.plane("dataplane")
        with frozen(world, worker_of(dataplane)):
            dataplane.wait_for_line(r"event=worker-stuck worker=0")
            start = supervisor.wait_start("dataplane", 1)
        check.equal("how it ended", start.status, -signal.SIGABRT)
        check.equal("what was said first", said[0], "dataplane gave no sign of life for 3 s: aborted")
        start.process.wait_for_line(r"\bevent=ready\b")
        go_on(phones)
        for phone in phones:
            phone.hush()
        calling.tell(answered)
        calling.finish()
        called.finish()
        check.equal("leg rows", len(world.rows(certain=False).legs()), 2)
        caller, callee = one_stream_each(world)
        longest = unit.seconds("dataplane", "WatchdogSec") + 2
        for streams, host in (caller, network.CALLER), (callee, network.CALLEE):
            times = [packet.time for packet in rtp.only(streams, network.GATEWAY, host).packets]
            gap = max(two - one for one, two in zip(times, times[1:]))
            if gap > longest:
                raise Failure(f"{host} heard nothing for {gap:.1f} s")
        world.audit()
        check.equal("starts", len(supervisor.starts()), 1)


def case_sip_stuck_under_a_supervisor(world):
    """The loop that owns all calls gives no sign of life: the process is replaced, its call taken up, and no packet is
    lost."""
    phones, remotes, calling, answered, called = bridged(world)
    with supervised(world) as (supervisor, said):
        speak(phones, remotes)
        with frozen(world, world.gateway.plane("control").pid):
            start = supervisor.wait_start("control", 1)
        check.equal("how it ended", start.status, -signal.SIGABRT)
        check.equal("what was said first", said[0], "control gave no sign of life for 10 s: aborted")
        start.process.wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
        go_on(phones)
        hush(phones)
        calling.tell(answered)
        calling.finish()
        called.finish()
        rows = world.rows()
        check.packets(rows.stints(), *one_stream_each(world))
        world.audit()
        check.equal("starts", len(supervisor.starts()), 1)


def case_control_stands_still(world):
    """Five seconds without a control plane to speak of, less than its watchdog: no packet is lost."""
    phones, remotes, calling, answered, called = bridged(world)
    with supervised(world) as (supervisor, _):
        speak(phones, remotes)
        control = world.gateway.plane("control")
        control.send(signal.SIGSTOP)
        go_on(phones, STILL_PACKETS)
        control.send(signal.SIGCONT)
        control.wait_for_line(r"area=calls .*event=stood-still ms=[45]\d\d\d sessions=1")
        go_on(phones)
        hush(phones)
        check.equal("what was said of the dataplane", count(control, "event=dataplane-silent"), 0)
        check.equal("starts", len(supervisor.starts()), 0)
        calling.tell(answered)
        calling.finish()
        called.finish()
        rows = world.rows()
        caller, callee = world.streams("caller"), world.streams("callee")
        check.one_voice(caller, network.CALLER)
        check.one_voice(callee, network.CALLEE)
        check.packets(rows.stints(), caller, callee)
        world.audit()


def case_digit_while_control_stands_still(world):
    """The digit ends the prompt, which needs no control plane; what it leads to comes afterwards."""
    world.start_gateway(world.front_desk(seconds=20))
    phone = world.phone(world.network.caller)
    called = world.callee(sip.taken(), sip.ring(), sip.answer(), sip.acked(), sip.report("answered"), sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    phone.wait_received(20)
    control = world.gateway.plane("control")
    control.send(signal.SIGSTOP)
    phone.press(media(answered), "5")
    phone.wait_silence()
    phone.speak(media(answered), STILL_PACKETS)
    control.send(signal.SIGCONT)
    control.wait_for_line(r"event=stood-still ms=[45]\d\d\d")
    called.wait("answered")
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows()
    check.equal("modules of the stints", [row["module"] for row in rows.stints()],
                [registry.FRONT_DESK, registry.CONNECT])
    check.stints_meet(rows.stints())
    check.equal("digits in the records", sum(row["digits"] for row in rows.stints()), 1)
    world.audit()


def still(phones):
    """Five seconds of speech that nobody relays."""
    before = phones[0].sent
    wait_until("five seconds of speech", lambda: phones[0].sent >= before + STILL_PACKETS)


def case_dataplane_stands_still(world):
    """Silence meanwhile, afterwards it goes on; no worker is called stuck."""
    phones, remotes, calling, answered, called = bridged(world)
    speak(phones, remotes)
    dataplane, control = world.gateway.plane("dataplane"), world.gateway.plane("control")
    dataplane.send(signal.SIGSTOP)
    still(phones)
    control.wait_for_line(r"event=dataplane-silent")
    check.equal("the worker's state", state(world), "not running")
    dataplane.send(signal.SIGCONT)
    dataplane.wait_for_line(r"area=dataplane .*event=stood-still ms=[45]\d\d\d ")
    control.wait_for_line(r"event=dataplane-alive")
    go_on(phones)
    for phone in phones:
        phone.hush()
    for phone in phones:
        phone.wait_silence()
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows()
    check.packets(rows.stints(), *one_stream_each(world))
    world.audit()
    for plane in dataplane, control:
        check.equal(f"stuck workers by {plane.name}", count(plane, "event=worker-stuck"), 0)
    check.equal("lines about the silence", count(control, "event=dataplane-(silent|alive)"), 2)
    check.equal("lines about standing still", count(dataplane, "event=stood-still"), 1)


def case_dataplane_stands_still_under_a_supervisor(world):
    """It is not waited for: after the time of its watchdog it is replaced."""
    phones, remotes, calling, answered, called = bridged(world)
    with supervised(world) as (supervisor, said):
        speak(phones, remotes)
        world.gateway.plane("dataplane").send(signal.SIGSTOP)
        start = supervisor.wait_start("dataplane", 1)
        check.equal("how it ended", start.status, -signal.SIGABRT)
        check.equal("what was said first", said[0], "dataplane gave no sign of life for 3 s: aborted")
        start.process.wait_for_line(r"\bevent=ready\b")
        go_on(phones)
        for phone in phones:
            phone.hush()
        calling.tell(answered)
        calling.finish()
        called.finish()
        check.equal("leg rows", len(world.rows(certain=False).legs()), 2)
        one_stream_each(world)
        world.audit()


def case_both_stand_still(world):
    """As on a machine that is paused: each plane says one line, and nothing else is cried."""
    phones, remotes, calling, answered, called = bridged(world)
    speak(phones, remotes)
    planes = [world.gateway.plane(plane) for plane in ("control", "dataplane")]
    for plane in planes:
        plane.send(signal.SIGSTOP)
    still(phones)
    for plane in planes:  # control first: it finds a dataplane that has not beaten for five seconds
        plane.send(signal.SIGCONT)
    for plane in planes:
        plane.wait_for_line(r"event=stood-still ms=[45]\d\d\d")
    go_on(phones)
    for phone in phones:
        phone.hush()
    calling.tell(answered)
    calling.finish()
    called.finish()
    check.equal("leg rows", len(world.rows().legs()), 2)
    for plane in planes:
        said = [line for line in plane.lines() if re.search("event=(stood-still|worker-|dataplane-silent)", line)]
        check.equal(f"lines of {plane.name} about it", len(said), 1)
    world.audit()


def case_what_the_planes_tell_their_supervisor(world):
    """READY when ready, WATCHDOG in time, STOPPING when stopping."""
    world.start_gateway(world.documents(document.response(document.hangup())))
    heard = {"control": [], "dataplane": []}

    def told(plane, pair):
        heard[plane] += world.gateway.listener(plane).heard()
        return pair in heard[plane]

    for plane in heard:
        wait_until(f"{plane} says WATCHDOG=1", lambda p=plane: told(p, ("WATCHDOG", "1")))
        check.equal(f"what {plane} says first", heard[plane][0], ("READY", "1"))
    for plane in heard:
        check.equal("exit status", world.gateway.plane(plane).stop(timeout=30), 0)
        wait_until(f"{plane} says STOPPING=1", lambda p=plane: told(p, ("STOPPING", "1")))
        world.gateway.forget(plane)


def kept_leg():
    """What the control plane has kept of the caller's leg of the only session; None at the moment of a change."""
    shelf = f"/dev/shm/{gateway.region_name()}.sessions"
    with contextlib.suppress(FileNotFoundError, ValueError):
        for name in os.listdir(shelf):
            with open(os.path.join(shelf, name), encoding="utf-8") as file:
                return json.load(file)["session"]["legs"][0]
    return None


def case_killed_before_the_journal_had_it(world):
    """Answered and cancelled while nothing could be written, and killed: the row was never opened, which its record
    says."""
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=9)), document.hangup())))
    world.web.stop()
    calling = world.caller(sip.invite(), sip.ringing(), sip.report("rings"), sip.wait(), sip.cancel(),
                           sip.receive("200"), sip.refused("487"))
    rings = calling.wait("rings")
    control = world.gateway.plane("control")
    with frozen(world, thread_of(control, "tg-journal")):
        world.web.go_on()
        wait_until("the answer is decided", lambda: (kept_leg() or {}).get("row_open"))
        calling.tell(rings)
        calling.finish()
        wait_until("the row's release is decided", lambda: (kept_leg() or {}).get("row_pending"))
        control.send(signal.SIGKILL)
    world.gateway.forget("control")
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    rows = world.rows()
    check.equal("SIP status of the leg", [leg["sip_status"] for leg in rows.legs()], [487])
    check.equal("packets to the caller", [leg["to_packets"] for leg in rows.legs()], [0])
    world.audit()
