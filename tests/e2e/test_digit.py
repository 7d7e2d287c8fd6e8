"""Digits (RFC 4733) and what documents do with them."""

from bed import check, document, network, scenario as sip
from bed.case import main
from bed.conductor import media


def _gather(world, digits=1, timeout=10, seconds=20):
    asked = document.gather("next.xml", document.play(world.prompt(seconds=seconds)), digits=digits,
                            timeout=timeout)
    world.web.put("front-desk/next.xml", document.response(document.pause(1), document.hangup()))
    world.start_gateway(world.documents(document.response(asked, document.play(world.prompt("late.wav", seconds=1)),
                                                          document.hangup())))


def _called(world):
    """A caller in a call. Returns (its SIPp, its phone, where its RTP goes)."""
    phone = world.phone(world.network.caller)
    caller = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.report("answered", media=True), sip.ended())
    return caller, phone, media(caller.wait("answered"))


def _queries(world, path):
    return [request[3] for request in world.web.requests() if request[1] == path]


@main
def case_digit_stops_prompt(world):
    _gather(world)
    world.capture(world.network.caller)
    caller, phone, remote = _called(world)
    phone.speak(remote, 25)
    phone.wait_received(50)
    phone.press(remote, "5")
    caller.finish()
    streams = world.streams("caller")
    stream = check.one_voice(streams, network.CALLER)
    if len(stream) > 200:
        raise AssertionError(f"{len(stream)} packets of the prompt were played: the digit did not stop it")
    queries = _queries(world, "/front-desk/next.xml")
    if len(queries) != 1 or "Digits=5" not in queries[0].split("&"):
        raise AssertionError(f"the action was asked for with {queries}")
    check.packets(world.rows().stints(), streams)
    world.audit()


def case_several_digits(world):
    """Three digits one after the other are one value; each counts once though its end is sent three times."""
    _gather(world, digits=3)
    caller, phone, remote = _called(world)
    for digit in "479":
        phone.press(remote, digit)
        phone.speak(remote, 5)
    caller.finish()
    queries = _queries(world, "/front-desk/next.xml")
    if len(queries) != 1 or "Digits=479" not in queries[0].split("&"):
        raise AssertionError(f"the action was asked for with {queries}")


def case_no_digit(world):
    """Nothing pressed: the verb after Gather is carried out, its action is not asked for."""
    _gather(world, timeout=1, seconds=1)
    world.capture(world.network.caller)
    caller, _, _ = _called(world)
    caller.finish()
    check.equal("packets heard", len(check.one_voice(world.streams("caller"), network.CALLER)), 100)
    check.equal("requests of the action", _queries(world, "/front-desk/next.xml"), [])
