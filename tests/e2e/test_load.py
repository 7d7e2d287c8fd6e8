"""Many calls at a time."""

from bed import check, document, network, rtp, scenario as sip

CALLS = 200
SECONDS = 20  # long enough for the last call to begin before the first ends, also on a busy machine


def case_two_hundred_calls(world):
    """200 calls at the same time, each with its prompt, all with their rows."""
    url = world.prompt("prompt.wav", seconds=SECONDS)
    world.start_gateway(world.documents(document.response(document.play(url), document.hangup())))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended(), calls=CALLS, timeout=100,
                           options=("-r", "100", "-l", str(CALLS)))
    calling.finish(timeout=100)
    phone.wait_silence()
    rows = world.rows(sessions=CALLS, timeout=60)
    check.equal("session rows", len(rows.sessions()), CALLS)
    check.equal("leg rows", len(rows.legs()), CALLS)
    check.equal("stint rows", len(rows.stints()), CALLS)
    check.equal("most calls at a time", rows.most_at_a_time(), CALLS)
    streams = rtp.between(world.streams("caller"), network.GATEWAY, network.CALLER)
    check.equal("streams", len(streams), CALLS)
    check.none("what the callers heard", [fault for stream in streams for fault in stream.faults()])
    check.equal("packets heard", {len(stream) for stream in streams}, {50 * SECONDS})
    check.equal("packets in the rows", sum(row["to_caller_packets"] for row in rows.stints()), 50 * SECONDS * CALLS)
    world.audit()
