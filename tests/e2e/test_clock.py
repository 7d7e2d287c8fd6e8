"""The wall clock is stepped by an hour, forward and back, while calls run. Durations and timers don't notice; what
begins from then on has the new clock's dates."""

import datetime

from bed import check, document, network, scenario as sip
from bed.conductor import media
from bed.gateway import default_settings
from bed.process import Failure
from bed.wall_clock import WallClock
from bed.world import DIALLED
from test_relay import CALLS, IS_CALLED

HOUR = 3600
PROMPT_SECONDS = 2


def start(world, front, changes=None):
    """A gateway whose planes have a clock of their own. Returns the clock."""
    planes = world.make_gateway(world.documents(front), changes)
    clock = WallClock(world)
    clock.attach(planes)
    planes.start()
    return clock


def step(world, clock, seconds):
    """Steps it and waits until the plane that keeps the region's clock has noticed."""
    dataplane = world.gateway.plane("dataplane")
    so_far = len(dataplane.lines())
    clock.step(seconds)
    line = dataplane.wait_for_line(r"area=region .*event=clock-stepped by_ms=(-?\d+) away_ms=(-?\d+)", 5, so_far)
    for what, found, wanted in (("by_ms", line.group(1), seconds), ("away_ms", line.group(2), clock.step_seconds)):
        if abs(int(found) / 1000 - wanted) > 0.1:
            raise Failure(f"{what} is {found} after a step by {seconds} s")


def utc(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def now():
    return datetime.datetime.now(datetime.timezone.utc).timestamp()


def dated(what, text, wanted, tolerance=2):
    if abs(utc(text) - wanted) > tolerance:
        raise Failure(f"{what} is {text}, {utc(text) - wanted:+.1f} s from where it should be")


def hear_prompt(world, label):
    """A call of its own, from another trunk, that hears the prompt and is over. Returns when it began."""
    begun = now()
    caller = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended(), host=world.network.web, label=label)
    caller.finish()
    caller.close()
    return begun


def case_stepped_while_calls_run(world):
    """One call sees the hour forward, two hours back and the way home; others begin and end in between."""
    trunks = default_settings(world.directory)["sip"]["trunks"] + [{"name": "second", "address": network.WEB}]
    clock = start(world, document.response(document.dial(DIALLED)), {"sip": {"trunks": trunks}})
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    begun = now()
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    for phone, remote in zip(phones, (media(answered), media(called.wait("answered")))):
        phone.speak_on(remote)
    phones[0].wait_received(25)
    url = world.prompt(seconds=PROMPT_SECONDS)
    world.web.put("front-desk/start.xml", document.response(document.play(url), document.hangup()))
    others = {}
    for seconds in (HOUR, -2 * HOUR, HOUR):
        step(world, clock, seconds)
        others[clock.step_seconds] = hear_prompt(world, f"other{clock.step_seconds}")
        planes = world.gateway.tool.json("stats")
        check.equal("planes that run", [planes[plane]["running"] for plane in ("control", "dataplane")], [True, True])
        check.equal("workers that run", {worker["state"] for worker in planes["workers"]}, {"running"})
        world.audit()
    sent = [phone.hush() for phone in phones]
    phones[0].wait_received(sent[1])
    phones[1].wait_received(sent[0])
    ended = now()
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows(sessions=4)
    caller, callee = world.streams("caller"), world.streams("callee")
    check.one_voice(caller, network.CALLER)
    check.one_voice(callee, network.CALLEE)
    sessions = rows.sessions()
    long = max(sessions, key=lambda row: row["duration_ms"])
    dated("the long call's setup", long["setup_time"], begun)
    dated("the long call's end", long["end_time"], ended)
    if abs(long["duration_ms"] / 1000 - (ended - begun)) > 2:
        raise Failure(f"the long call has {long['duration_ms']} ms, not {(ended - begun) * 1000:.0f}")
    check.packets([row for row in rows.stints() if row["session"] == long["session"]], caller, callee)
    short = sorted((row for row in sessions if row is not long), key=lambda row: row["record"])
    for row, (away, at) in zip(short, others.items()):
        dated(f"the setup of a call {away} s away", row["setup_time"], at + away)
        # From the first packet to the last, 20 ms less than what is heard, and some more for the document.
        if not PROMPT_SECONDS * 1000 - 20 <= row["duration_ms"] <= PROMPT_SECONDS * 1000 + 1500:
            raise Failure(f"a call {away} s away has {row['duration_ms']} ms")
        if abs(utc(row["end_time"]) - utc(row["answer_time"]) - row["duration_ms"] / 1000) > 0.002:
            raise Failure(f"a call {away} s away does not add up: {row}")
    for row in rows.legs() + rows.stints():
        if not 0 < row["duration_ms"] <= (ended - begun) * 1000 + 2000:
            raise Failure(f"a {row['type']} has {row['duration_ms']} ms")
    world.audit()


def timer(world, seconds):
    """A Gather's timeout is pending when the clock is stepped: it comes when it was to come."""
    timeout = 4
    asked = document.gather("next.xml", document.play(world.prompt(seconds=1)), timeout=timeout)
    late = document.play(world.prompt("late.wav", seconds=1))
    clock = start(world, document.response(asked, late, document.hangup()))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    caller = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    phone.wait_received(50)
    step(world, clock, seconds)
    caller.finish()
    heard = check.one_voice(world.streams("caller"), network.CALLER)
    check.equal("packets of both prompts", len(heard), 100)
    waited = heard.packets[50].time - heard.packets[49].time
    if not timeout - 0.2 <= waited <= timeout + 1:
        raise Failure(f"between the prompts lie {waited:.2f} s, not {timeout}")
    world.rows()
    world.audit()


def case_forward_while_a_timer_runs(world):
    timer(world, HOUR)


def case_back_while_a_timer_runs(world):
    timer(world, -HOUR)


def case_control_alone_keeps_the_clock(world):
    """While the dataplane is away it is the control plane that notices; and a call that begins under a stepped clock
    and ends after both planes were replaced has its dates."""
    clock = start(world, document.response(document.dial(DIALLED)))
    world.gateway.forget("dataplane")
    control = world.gateway.plane("control")
    control.wait_for_line(r"event=dataplane-silent", 15)
    clock.step(HOUR)
    control.wait_for_line(r"area=region .*event=clock-stepped by_ms=3(600|599)\d\d\d ", 5)
    world.gateway.start_plane("dataplane")
    control.wait_for_line(r"event=dataplane-alive", 15)
    # The successor repeats the ACK.
    called = world.callee(*IS_CALLED, sip.receive("ACK", optional=True), sip.ended())
    begun = now()
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("answered")
    for plane in "control", "dataplane":
        world.gateway.forget(plane)
        world.gateway.start_plane(plane)
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows(certain=False)
    check.replaced_once(rows, None)
    dated("the setup", rows.only_session()["setup_time"], begun + HOUR)
    if rows.only_session()["duration_ms"] > (now() - begun) * 1000:
        raise Failure(f"the call has {rows.only_session()['duration_ms']} ms")
    world.audit()
