"""Sessions that a restarted control plane can't go on with: their far ends are told, and their records say why."""

import contextlib
import os
import subprocess

from bed import check, document, gateway, owner, registry, scenario as sip, settings
from bed.conductor import media
from bed.process import Failure, wait_until
from bed.world import DIALLED
from test_killed import bridged
from test_relay import CALLS, IS_CALLED, dial_at_once, talk

# Of the messages by which the successor ends what it can't go on with.
REASON = ("Reason", "Q.850;cause=41;text=")
BYE_WITH_REASON = sip.receive("BYE", header=REASON) + "\n" + sip.respond("200 OK")
# A successor may repeat the ACK of a call that was being set up.
CALLED_BYE_WITH_REASON = sip.receive("ACK", optional=True) + "\n" + BYE_WITH_REASON


def kill(world, *planes):
    for plane in planes:
        world.gateway.forget(plane)


def remove_region(world):
    """The region alone: what is kept of the sessions stays."""
    for directory in owner.REGION_DIRS:
        path = os.path.join(directory, gateway.region_name())
        if os.path.isfile(path):
            os.unlink(path)


def write_registry(world, groups):
    with open(os.path.join(world.directory, "registry.conf"), "w", encoding="utf-8") as file:
        file.write(settings.text(groups))


def without_front_desk(world):
    """Another registry: the module that controls the calls is gone, its number is the other's."""
    url = world.web.put("connect/start.xml", document.response(document.hangup()))
    groups = registry.two_modules(url, url)
    groups["modules"] = [module for module in groups["modules"] if module["code"] != registry.FRONT_DESK]
    groups["numbers"] = [{**groups["numbers"][0], "module": registry.CONNECT}]
    write_registry(world, groups)


def closed(world, reason, legs=2):
    """The one session's rows say that it was not taken up, and why."""
    rows = world.rows(certain=False)
    session = rows.only_session()
    check.equal("reasons of the stints", [row["reason"] for row in rows.stints()], ["not-taken-up"])
    if reason not in session["partial"]:
        raise Failure(f"the session's row is partial because of {session['partial']!r}, not {reason!r}")
    check.equal("leg rows", len(rows.legs()), legs)
    world.audit()


def both_are_told(world, calling, called, reason):
    """Each far end's scenario wants a BYE with a Reason."""
    calling.finish()
    called.finish()
    closed(world, reason)


def relaying(world):
    """Two phones in a call whose far ends wait for a BYE that says why."""
    dial_at_once(world)
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, CALLED_BYE_WITH_REASON)
    calling = world.caller(*CALLS, BYE_WITH_REASON)
    answered = calling.wait("answered")
    talk(phones, (media(answered), media(called.wait("answered"))), 20)
    return calling, called


def kept():
    """What is kept of all sessions."""
    directory = f"/dev/shm/{gateway.region_name()}.sessions"
    text = b""
    for name in os.listdir(directory):
        with contextlib.suppress(FileNotFoundError), open(os.path.join(directory, name), "rb") as file:
            text += file.read()
    return text


def case_region_gone(world):
    """The region is removed while both planes are down; the sessions' states are still there."""
    calling, called = relaying(world)
    kill(world, "control", "dataplane")
    remove_region(world)
    world.gateway.start()
    world.gateway.plane("control").wait_for_line(r'event=session-not-taken-up .*reason="its region is gone"')
    both_are_told(world, calling, called, "its region is gone")


def case_module_gone(world):
    """The module in control was removed from the registry meanwhile; the dataplane runs on."""
    calling, called = relaying(world)
    kill(world, "control")
    without_front_desk(world)
    control = world.gateway.start_plane("control")
    control.wait_for_line(r'event=session-not-taken-up .*reason="the registry no longer has its module"')
    control.wait_for_line(r"event=session-recovered .*legs=2 told=2")
    both_are_told(world, calling, called, "the registry no longer has its module")


def case_module_gone_and_killed_again(world):
    """The successor dies too before the far ends have answered: its own successor tells them."""
    dial_at_once(world)
    called = world.callee(*IS_CALLED, CALLED_BYE_WITH_REASON)
    calling = world.caller(*CALLS, sip.receive("BYE", header=REASON), sip.report("told"), sip.wait(),
                           sip.respond("200 OK"))  # to the BYE of the last: it is the first one's again
    calling.wait("answered")
    called.wait("answered")
    kill(world, "control")
    without_front_desk(world)
    world.gateway.start_plane("control")
    told = calling.wait("told")
    # One that is killed before it has kept that a BYE is under way would have another sent, with a higher CSeq.
    wait_until("the BYE is kept", lambda: b'"state":"ending"' in kept(), 10)
    kill(world, "control")
    world.gateway.start_plane("control")
    calling.tell(told)
    both_are_told(world, calling, called, "the registry no longer has its module")


def case_module_gone_while_ringing(world):
    """Nobody has answered yet: the callee gets a CANCEL, the caller a final response."""
    dial_at_once(world, answerOnBridge="true")
    called = world.callee(sip.taken(), sip.ring(), sip.report("rings"),
                          sip.receive("CANCEL", header=REASON), sip.respond("200 OK"),
                          sip.respond("487 Request Terminated", sequence="CSeq: [$number] INVITE"),
                          sip.receive("ACK"))
    calling = world.caller(sip.invite(), sip.refused("500"))
    called.wait("rings")
    kill(world, "control")
    without_front_desk(world)
    world.gateway.start_plane("control")
    calling.finish()
    called.finish()
    closed(world, "the registry no longer has its module")


def case_machine_started_anew(world):
    """Region and states are gone: who asks is answered 481 at once, and the next call works."""
    phones, remotes, calling, answered, called = bridged(world)
    talk(phones, remotes, 20)
    kill(world, "control", "dataplane")
    world.gateway.remove()
    world.gateway.start()
    calling.tell(answered)
    calling.close()
    called.close()
    rows = world.rows(certain=False)
    check.equal("reasons of the stints", [row["reason"] for row in rows.stints()], ["control-restarted"])
    if not rows.only_session()["partial"]:
        raise Failure("the session's row does not say that it is partial")
    called = world.callee(*IS_CALLED, sip.ended(), label="called-again")
    calling = world.caller(*CALLS, sip.wait(), sip.bye(), label="calling-again")
    called.wait("answered")
    calling.tell(calling.wait("answered"))
    calling.finish()
    called.finish()
    world.rows(sessions=2, certain=False)
    world.audit()
