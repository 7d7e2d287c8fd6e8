"""Letting calls end before an upgrade, and what an upgrade finds."""

import re

from bed import check, document, network, scenario as sip
from bed.case import main
from bed.process import Failure
from test_relay import CALLS, IS_CALLED, dial_at_once


def _invite_status(world):
    """Final status of an INVITE that a second user agent of the caller's host sends."""
    port = 5070
    with world.network.caller.socket(bind=(network.CALLER, port)) as udp:
        udp.settimeout(5)
        udp.sendto("\r\n".join((
            f"INVITE sip:100@{network.GATEWAY} SIP/2.0", f"Via: SIP/2.0/UDP {network.CALLER}:{port};branch=z9hG4bKlate",
            f"From: <sip:late@{network.CALLER}>;tag=late", f"To: <sip:100@{network.GATEWAY}>", "Call-ID: late",
            "CSeq: 1 INVITE", "Max-Forwards: 70", f"Contact: <sip:late@{network.CALLER}:{port}>", "Content-Length: 0",
            "", "")).encode(), (network.GATEWAY, 5060))
        while (status := udp.recv(4096).split()[1].decode()).startswith("1"):
            pass
        return status


@main
def case_drain(world):
    """The call that is there goes on, a new one is refused; when none is left the tool says so."""
    dial_at_once(world)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    called.wait("answered")
    tool = world.gateway.tool
    said = tool.text("drain")
    if "1 session left" not in said:
        raise Failure(f"tollgate drain said {said!r}")
    status = _invite_status(world)
    if status != "503":
        raise Failure(f"a new call was answered {status} while draining")
    calling.tell(answered)
    calling.finish()
    called.finish()
    if "drained" not in tool.text("drain", "wait"):
        raise Failure("tollgate drain wait did not say that it is drained")
    tool.text("drain", "off")
    world.web.put("front-desk/start.xml", document.response(document.hangup()))
    world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended(), label="after").finish()
    world.rows(sessions=2)
    world.audit()


def case_another_layout(world):
    """A region of other capacities is refused with both; nothing of it is touched."""
    world.start_gateway(world.documents(document.response(document.hangup())))
    world.gateway.forget("control")
    with open(world.gateway.settings_path, encoding="utf-8") as file:
        text = file.read()
    other = re.sub(r"port_max = \d+", "port_max = 23999", text)
    check.equal("a setting to change", other != text, True)
    with open(world.gateway.settings_path, "w", encoding="utf-8") as file:
        file.write(other)
    process = world.gateway.start_plane("control", wait=False)
    if process.wait(30) != 1:
        raise Failure("control started on a region of another capacity")
    said = "\n".join(process.lines())
    if "was made for" not in said or "remove the file" not in said:
        raise Failure(f"it does not say what differs and what to do: {said}")
    world.gateway.forget("control")
    with open(world.gateway.settings_path, "w", encoding="utf-8") as file:
        file.write(text)
    world.gateway.start_plane("control")
