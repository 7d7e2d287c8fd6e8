"""Prompts: fetched over HTTP, held in memory, played by the dataplane."""

from bed import check, document, network, rtp, scenario as sip
from bed.case import main


def _listen(world, offer=None):
    """A caller that hears a document out. Returns what it heard, as the capture has it."""
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    caller = world.caller(sip.invite(offer), sip.answered(), sip.ack(), sip.ended())
    caller.finish()
    phone.wait_silence()
    return world.streams("caller")


def _play(world, name="prompt.wav", **more):
    url = world.prompt(name, seconds=2)
    groups = world.documents(document.response(document.play(url, **more), document.hangup()))
    world.start_gateway(groups)


@main
def case_prompt(world):
    """Two seconds of prompt are a hundred packets, to the caller and in the records."""
    _play(world)
    streams = _listen(world)
    stream = check.one_voice(streams, network.CALLER)
    check.equal("packets heard", len(stream), 100)
    check.equal("payload types", {packet.payload_type for packet in stream.packets}, {0})
    rows = world.rows()
    check.packets(rows.stints(), streams)
    check.equal("packets played", sum(row["played_packets"] for row in rows.stints()), 100)
    check.equal("session rows", len(rows.sessions()), 1)
    check.equal("leg rows", len(rows.legs()), 1)
    world.audit()


def case_mp3(world):
    _play(world, "prompt.mp3")
    stream = check.one_voice(_listen(world), network.CALLER)
    if not 100 <= len(stream) <= 106:  # an encoder may add up to two of its frames at either end
        raise AssertionError(f"{len(stream)} packets of two seconds of MP3")
    world.audit()


def case_pcma(world):
    """A caller that speaks A-law only hears A-law."""
    _play(world)
    stream = check.one_voice(_listen(world, sip.sdp(types="8 101")), network.CALLER)
    check.equal("payload types", {packet.payload_type for packet in stream.packets}, {8})
    check.equal("packets heard", len(stream), 100)


def case_loop_without_gap(world):
    _play(world, loop=3)
    stream = check.one_voice(_listen(world), network.CALLER)
    check.equal("packets heard", len(stream), 300)
    check.equal("markers", sum(packet.marker for packet in stream.packets), 1)


def case_two_prompts(world):
    """One document, two items: one stream."""
    urls = [world.prompt(f"{name}.wav", text=name, seconds=1) for name in ("one", "two")]
    world.start_gateway(world.documents(document.response(*map(document.play, urls), document.hangup())))
    stream = check.one_voice(_listen(world), network.CALLER)
    check.equal("packets heard", len(stream), 100)


def case_second_call_from_memory(world):
    """The origin is asked once for two calls."""
    _play(world)
    for number in (1, 2):
        caller = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended(), label=f"caller{number}")
        caller.finish()
        caller.close()
    check.equal("fetches of the prompt", world.web.fetched("/prompt.wav"), 1)
    world.rows(sessions=2)
    world.audit()


def case_prompt_not_there(world):
    """A prompt that the origin doesn't have: the error is recorded, the next verb is carried out."""
    good = world.prompt("good.wav", seconds=1)
    world.start_gateway(world.documents(document.response(
        document.play(f"{world.web.url}/missing/prompt.wav"), document.play(good), document.hangup())))
    stream = check.one_voice(_listen(world), network.CALLER)
    check.equal("packets heard", len(stream), 50)


def case_page_is_no_sound(world):
    """An HTML error page is never decoded as audio."""
    page = world.web.put("prompt.wav", "<html><body>an error page</body></html>")
    good = world.prompt("good.wav", seconds=1)
    world.start_gateway(world.documents(document.response(
        document.play(page), document.play(good), document.hangup())))
    check.equal("packets heard", len(rtp.only(_listen(world), network.GATEWAY, network.CALLER)), 50)
