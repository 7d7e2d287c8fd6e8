"""Control of a call goes from one account's module to another's."""

from bed import check, document, network, registry, rtp, scenario as sip, story
from bed.case import main


@main
def case_handoff(world):
    """Prompt, digit, handoff, relay: no packet lost or repeated, one stream per leg, records to the packet."""
    world.start_gateway(world.front_desk(seconds=20))
    world.capture()
    story.tell(world)
    caller, callee = world.streams("caller"), world.streams("callee")
    heard = check.one_voice(caller, network.CALLER, spacing=False)
    check.one_voice(callee, network.CALLEE, spacing=False)
    check.said_in_order(heard, rtp.only(callee, network.CALLEE, network.GATEWAY))
    rows = world.rows()
    stints = rows.stints()
    check.equal("modules of the stints", [row["module"] for row in stints], [registry.FRONT_DESK, registry.CONNECT])
    check.equal("accounts of the stints", [row["account"] for row in stints],
                [registry.RECEPTION, registry.EXCHANGE])
    check.stints_meet(stints)
    check.packets(stints, caller, callee)
    check.equal("leg rows", len(rows.legs()), 2)
    world.audit()


def case_handoff_denied(world):
    """A module that doesn't accept the giver's account isn't asked, and the callee hears nothing of it."""
    prompt = document.play(world.prompt(seconds=1))
    groups = world.documents(document.response(prompt, document.module(registry.CONNECT)))
    groups["modules"][1]["accepts_handoff_from"] = []
    world.start_gateway(groups)
    caller = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    caller.finish()
    check.equal("requests of connect's document", world.web.fetched("/connect/start.xml"), 0)
    check.equal("modules of the stints", [row["module"] for row in world.rows().stints()], [registry.FRONT_DESK])
    world.audit()


def case_handoff_and_return(world):
    """connect ends, front-desk gets control back: three stints."""
    prompt = world.prompt(seconds=1)
    world.web.put("front-desk/back.xml", document.response(document.play(prompt), document.hangup()))
    world.start_gateway(world.documents(
        document.response(document.module(registry.CONNECT, return_url="back.xml")),
        document.response(document.play(prompt))))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    caller = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    caller.finish()
    phone.wait_silence()
    streams = world.streams("caller")
    check.equal("packets heard", len(check.one_voice(streams, network.CALLER)), 100)
    stints = world.rows().stints()
    check.equal("modules of the stints", [row["module"] for row in stints],
                [registry.FRONT_DESK, registry.CONNECT, registry.FRONT_DESK])
    check.equal("packets played in each", [row["played_packets"] for row in stints], [0, 50, 50])
    check.stints_meet(stints)
    check.packets(stints, streams)
    world.audit()
