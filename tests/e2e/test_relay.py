"""Two legs joined: what one end says the other hears."""

from bed import check, document, network, rtp, scenario as sip
from bed.case import main
from bed.conductor import media
from bed.world import DIALLED

CALLS = (sip.invite(), sip.answered(), sip.ack(), sip.report("answered", media=True))
IS_CALLED = (sip.taken(), sip.ring(), sip.answer(), sip.acked(), sip.report("answered", media=True))


def dial_at_once(world, changes=None, **attributes):
    """The number's own module dials the callee. changes: of the settings."""
    world.start_gateway(world.documents(document.response(document.dial(DIALLED, **attributes),
                                                          document.hangup())), changes)


def talk(phones, remotes, packets):
    """Both say exactly so many packets, at the same time; each must have heard all of the other's."""
    heard = [phone.received for phone in phones]
    said = phones[1].sent
    phones[1].speak_on(remotes[1])
    phones[0].speak(remotes[0], packets)
    phones[1].hush()
    phones[1].wait_received(heard[1] + packets)
    phones[0].wait_received(heard[0] + phones[1].sent - said)


@main
def case_relay(world):
    """Every packet of either end reaches the other, and the records say so."""
    dial_at_once(world)
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    talk(phones, remotes, 150)
    calling.tell(answered)
    calling.finish()
    called.finish()
    caller, callee = world.streams("caller"), world.streams("callee")
    check.equal("packets of the caller that came through",
                check.said_in_order(check.one_voice(callee, network.CALLEE),
                                    rtp.only(caller, network.CALLER, network.GATEWAY)), phones[0].sent)
    check.equal("packets of the callee that came through",
                check.said_in_order(check.one_voice(caller, network.CALLER),
                                    rtp.only(callee, network.CALLEE, network.GATEWAY)), phones[1].sent)
    rows = world.rows()
    check.packets(rows.stints(), caller, callee)
    check.equal("leg rows", len(rows.legs()), 2)
    world.audit()


def case_callee_hangs_up(world):
    """The callee's BYE ends the Dial; the document's next verb ends the call."""
    dial_at_once(world)
    called = world.callee(*IS_CALLED, sip.wait(), sip.callee_bye())
    calling = world.caller(*CALLS, sip.ended())
    calling.wait("answered")
    called.tell(called.wait("answered"))
    called.finish()
    calling.finish()
    check.equal("leg rows", len(world.rows().legs()), 2)
    world.audit()


def case_digit_is_relayed(world):
    """A digit pressed during a call reaches the other end as events of one stream."""
    dial_at_once(world)
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("answered")
    remote = media(answered)
    phones[0].speak(remote, 10)
    phones[0].press(remote, "7")
    phones[0].speak(remote, 10)
    phones[1].wait_received(phones[0].sent)
    calling.tell(answered)
    calling.finish()
    called.finish()
    heard = check.one_voice(world.streams("callee"), network.CALLEE, spacing=False)
    events = heard.of_type(101)
    check.equal("event packets", [packet.payload[0] for packet in events], [7] * 7)
    check.equal("timestamps of the event", len({packet.timestamp for packet in events}), 1)
    check.equal("ends of the event", sum(packet.payload[1] >> 7 for packet in events), 3)


def case_stranger_is_not_heard(world):
    """RTP from an address that wasn't signalled is dropped, counted, and reaches nobody."""
    dial_at_once(world)
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    stranger = world.phone(world.network.web)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("answered")
    remote = media(answered)
    stranger.speak(remote, 10)
    phones[0].speak(remote, 20)
    phones[1].wait_received(20)
    calling.tell(answered)
    calling.finish()
    called.finish()
    check.equal("packets that the callee heard", len(rtp.only(world.streams("callee"), network.GATEWAY,
                                                             network.CALLEE)), 20)
    check.packets(world.rows().stints(), [s for s in world.streams("caller") if s.key.source != network.WEB],
                  world.streams("callee"))
    world.audit()
