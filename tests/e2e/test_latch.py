"""Far ends behind a NAT: media comes from another port than was signalled (`media.latch`)."""

from bed import check, document, network, rtp, scenario as sip
from bed.conductor import media
from bed.sipp import MEDIA_PORT
from bed.world import DIALLED
from test_relay import CALLS, IS_CALLED

NAT_PORT, INTRUDER_PORT = MEDIA_PORT + 100, MEDIA_PORT + 200
FIRST = 2  # packets of the far end that only show that it goes on sending


def bridged_with_latch(world):
    """Returns (the caller's remote, its last report, its SIPp, the callee's SIPp)."""
    world.start_gateway(world.documents(document.response(document.dial(DIALLED), document.hangup())),
                        {"media": {"latch": True}})
    world.capture()
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("answered")
    return media(answered), answered, calling, called


def case_another_port_of_the_host(world):
    """The port that goes on sending is the far end's from then on; who comes later from a third one is not heard."""
    remote, answered, calling, called = bridged_with_latch(world)
    nat = world.phone(world.network.caller, NAT_PORT)
    intruder = world.phone(world.network.caller, INTRUDER_PORT)
    callee = world.phone(world.network.callee)
    nat.speak(remote, 20)
    callee.wait_received(20 - FIRST)
    world.gateway.plane("control").wait_for_line(rf"event=latched leg=0 source={network.CALLER}:{NAT_PORT}\b")
    intruder.speak(remote, 20)
    nat.speak(remote, 20)
    callee.wait_received(40 - FIRST)
    check.equal("packets that the callee heard", callee.wait_silence(), 40 - FIRST)
    calling.tell(answered)
    calling.finish()
    called.finish()
    row, = [row for row in world.rows().legs() if row["direction"] == "in"]
    check.equal("from_packets of the caller's leg", row["from_packets"], 40 - FIRST)
    check.equal("dropped packets of it", row["dropped_packets"], FIRST + 20)
    world.audit()


def case_the_signalled_port_comes_first(world):
    """Once the signalled port has sent, no other is looked at; two packets on a third port before that take nothing."""
    remote, answered, calling, called = bridged_with_latch(world)
    caller = world.phone(world.network.caller)
    intruder = world.phone(world.network.caller, INTRUDER_PORT)
    callee = world.phone(world.network.callee)
    intruder.speak(remote, FIRST)
    caller.speak(remote, 10)
    intruder.speak(remote, 20)
    caller.speak(remote, 10)
    callee.wait_received(20)
    check.equal("packets that the callee heard", callee.wait_silence(), 20)
    calling.tell(answered)
    calling.finish()
    called.finish()
    heard = rtp.only(world.streams("callee"), network.GATEWAY, network.CALLEE)
    check.equal("faults of the callee's stream", heard.gaps(), [])
    world.rows()
    world.audit()
