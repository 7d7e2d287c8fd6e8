"""Hold and resume by re-INVITE (RFC 3264 8.4), and re-INVITEs that meet."""

from bed import check, network, rtp, scenario as sip
from bed.conductor import media
from test_relay import CALLS, IS_CALLED, dial_at_once, talk


def case_hold_and_resume(world):
    """While the caller holds, it is sent nothing and its call doesn't time out; after it, it hears one stream."""
    dial_at_once(world)
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.reinvite(2, "sendonly"), sip.report("held", media=True),
                           sip.wait(), sip.reinvite(3, "sendrecv"), sip.report("resumed", media=True), sip.wait(),
                           sip.bye(4))
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    talk(phones, remotes, 50)

    calling.tell(answered)
    held = calling.wait("held")
    check.equal("direction answered to a hold", held["Direction"], "recvonly")
    before = phones[0].wait_silence()
    phones[1].speak(remotes[1], 25)
    check.equal("packets heard while on hold", phones[0].wait_silence() - before, 0)

    calling.tell(answered)
    resumed = calling.wait("resumed")
    check.equal("direction answered to a resumption", resumed["Direction"], "sendrecv")
    check.equal("media address after it", media(resumed), remotes[0])
    talk(phones, remotes, 50)
    calling.tell(answered)
    calling.finish()
    called.finish()
    caller, callee = world.streams("caller"), world.streams("callee")
    check.one_voice(caller, network.CALLER, spacing=False)
    check.one_voice(callee, network.CALLEE, spacing=False)
    rows = world.rows()
    check.equal("from_callee_packets", sum(row["from_callee_packets"] for row in rows.stints()),
                rtp.count(callee, network.CALLEE, network.GATEWAY))
    check.packets(rows.stints(), caller, callee)
    world.audit()


def case_both_offer_at_once(world):
    """Both far ends send a re-INVITE at the same time; each is answered, 491 being allowed (RFC 3261 14.2)."""
    dial_at_once(world)
    again = sip.callee_request("INVITE", 1, sip.sdp(types="0 101", version=2))
    called = world.callee(*IS_CALLED, sip.wait(), again, sip.receive("100", optional=True), sip.receive("200", rrs=True),
                          sip.callee_request("ACK", 1), sip.report("again"), sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.reinvite(2, "sendrecv"), sip.report("again"), sip.wait(), sip.bye(3))
    answered, reached = calling.wait("answered"), called.wait("answered")
    called.tell(reached)
    calling.tell(answered)
    calling.wait("again")
    called.wait("again")
    calling.tell(answered)
    calling.finish()
    called.finish()
    world.audit()
