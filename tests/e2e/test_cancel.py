"""Calls that end while they ring, and what crosses on the way."""

from bed import check, scenario as sip
from bed.case import main
from test_relay import CALLS, IS_CALLED, dial_at_once

_INVITE_SEQUENCE = "CSeq: [$number] INVITE"
TERMINATED = sip.respond("487 Request Terminated", tag="", sequence=_INVITE_SEQUENCE, retrans=True)


@main
def case_cancel(world):
    """The caller gives up before anyone answered: 487 to it, CANCEL to the callee."""
    dial_at_once(world, answerOnBridge="true")
    called = world.callee(sip.taken(), sip.ring(), sip.report("rings"), sip.receive("CANCEL"), sip.respond("200 OK"),
                          TERMINATED, sip.receive("ACK"))
    calling = world.caller(sip.invite(), sip.ringing(), sip.report("rings"), sip.wait(), sip.cancel(),
                           sip.receive("200"), sip.refused("487"))
    rings = calling.wait("rings")
    called.wait("rings")
    calling.tell(rings)
    calling.finish()
    called.finish()
    rows = world.rows()
    check.equal("leg rows", len(rows.legs()), 2)
    check.none("legs that were answered", [leg for leg in rows.legs() if leg["answer_time"]])
    world.audit()


def case_hang_up_while_ringing(world):
    """An answered caller hangs up while the callee rings: the callee gets CANCEL."""
    dial_at_once(world)
    called = world.callee(sip.taken(), sip.ring(), sip.report("rings"), sip.receive("CANCEL"), sip.respond("200 OK"),
                          TERMINATED, sip.receive("ACK"))
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("rings")
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows()
    check.equal("leg rows", len(rows.legs()), 2)
    world.audit()


def case_cancel_crosses_answer_of_callee(world):
    """Our CANCEL meets the callee's 200: ACK, then BYE at once (RFC 3261 9.1, 15)."""
    dial_at_once(world)
    called = world.callee(sip.taken(), sip.ring(), sip.report("rings"), sip.receive("CANCEL"),
                          sip.respond("200 OK"), sip.answer(tag="", sequence=_INVITE_SEQUENCE, retrans=False),
                          sip.receive("ACK"), sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("rings")
    calling.tell(answered)
    calling.finish()
    called.finish()
    check.equal("leg rows", len(world.rows().legs()), 2)
    world.audit()


def case_cancel_crosses_our_answer(world):
    """The caller's CANCEL meets our 200: the call stands, and ends by BYE."""
    dial_at_once(world)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(sip.invite(), sip.answered(), sip.cancel_late(), sip.ack(kept=True),
                           sip.report("answered", media=True), sip.wait(), sip.bye(kept=True))
    answered = calling.wait("answered")
    called.wait("answered")
    calling.tell(answered)
    calling.finish()
    called.finish()
    world.rows()
    world.audit()
