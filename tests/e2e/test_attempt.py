"""Callees that can't be had: every attempt is a leg with a record."""

from bed import check, document, network, scenario as sip
from bed.conductor import media
from bed.world import DIALLED
from test_relay import CALLS, dial_at_once, talk


def _outbound(rows):
    return [leg for leg in rows.legs() if leg["direction"] == "out"]


def case_busy_callee(world):
    """486: the leg's record says so, the document goes on to its prompt."""
    sorry = world.prompt("sorry.wav", text="The line is busy.", seconds=1)
    world.start_gateway(world.documents(document.response(document.dial(DIALLED), document.play(sorry),
                                                          document.hangup())))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    called = world.callee(sip.taken(), sip.ring(), sip.refuse("486 Busy Here"))
    calling = world.caller(*CALLS, sip.ended())
    calling.wait("answered")
    called.finish()
    calling.finish()
    phone.wait_silence()
    check.equal("packets heard", len(check.one_voice(world.streams("caller"), network.CALLER)), 50)
    rows = world.rows()
    check.equal("status of the attempts", [leg["sip_status"] for leg in _outbound(rows)], [486])
    check.equal("cause of the attempts", [leg["q850_cause"] for leg in _outbound(rows)], [17])
    world.audit()


def case_nobody_answers(world):
    """Dial's timeout: CANCEL, and the attempt's record."""
    dial_at_once(world, timeout="1")
    called = world.callee(sip.taken(), sip.ring(), sip.receive("CANCEL"), sip.respond("200 OK"),
                          sip.respond("487 Request Terminated", sequence="CSeq: [$number] INVITE", retrans=True),
                          sip.receive("ACK"))
    calling = world.caller(*CALLS, sip.ended())
    calling.wait("answered")
    called.finish()
    calling.finish()
    check.equal("attempts", len(_outbound(world.rows())), 1)
    world.audit()


def case_busy_callee_unanswered_caller(world):
    """answerOnBridge and nobody bridged: the callee's status is the caller's."""
    dial = document.dial(DIALLED, answerOnBridge="true")
    world.start_gateway(world.documents(document.response(dial)))
    called = world.callee(sip.taken(), sip.ring(), sip.refuse("486 Busy Here"))
    calling = world.caller(sip.invite(), sip.refused("486"))
    called.finish()
    calling.finish()
    check.equal("status of the attempts", [leg["sip_status"] for leg in _outbound(world.rows())], [486])
    world.audit()


def case_two_to_tags(world):
    """A second 200 with another To-tag (a forked call): ACK and BYE to that dialog, the first goes on."""
    dial_at_once(world)
    other = ";tag=[pid]other[call_number]"
    called = world.callee(sip.taken(), sip.ring(), sip.answer(retrans=False), sip.acked(),
                          sip.report("answered", media=True),
                          sip.answer_as_other(other),
                          sip.acked(), sip.ended(), sip.report("other ended"), sip.ended())
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    called.wait("other ended")
    talk(phones, remotes, 25)
    calling.tell(answered)
    calling.finish()
    called.finish()
    world.rows()
    world.audit()
