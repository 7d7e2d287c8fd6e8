"""Many calls at a time."""

from bed import check, document, network, rtp, scenario as sip
from bed.case import main

CALLS = 200


@main
def case_two_hundred_calls(world):
    """200 calls that are all up at one moment, each with its prompt, all with their rows."""
    url = world.prompt("prompt.wav", seconds=8)
    world.start_gateway(world.documents(document.response(document.play(url, loop=100), document.hangup())))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.report("answered", media=True), sip.wait(),
                           sip.bye(), calls=CALLS, timeout=100, options=("-r", "100", "-l", str(CALLS)))
    answered = [calling.wait("answered", timeout=60) for _ in range(CALLS)]
    phone.wait_received(phone.received + 100 * CALLS, timeout=60)
    for report in answered:
        calling.tell(report)
    calling.finish(timeout=100)
    phone.wait_silence()
    rows = world.rows(sessions=CALLS, timeout=60)
    check.equal("session rows", len(rows.sessions()), CALLS)
    check.equal("leg rows", len(rows.legs()), CALLS)
    check.equal("stint rows", len(rows.stints()), CALLS)
    check.equal("most calls at a time", rows.most_at_a_time(), CALLS)
    streams = world.streams("caller")
    heard = rtp.between(streams, network.GATEWAY, network.CALLER)
    check.equal("streams", len(heard), CALLS)
    check.none("what the callers heard", [fault for stream in heard for fault in stream.faults()])
    check.packets(rows.stints(), streams)
    world.audit()
