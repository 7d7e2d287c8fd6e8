"""What the gateway works with goes away and comes back: the cable, the application server, the origin of sounds, a
media worker."""

from bed import check, document, media_worker, network, prompt, rtp, scenario as sip
from bed.process import call
from bed.world import DIALLED
from test_cancel import TERMINATED
from test_killed import bridged
from test_relay import CALLS

HEARD_OUT = (sip.invite(), sip.answered(), sip.ack(), sip.ended())


def _link(world, state):
    call("ip", "-n", world.network.gateway.name, "link", "set", "media0", state)


def case_link_down_and_up(world):
    """Both hear nothing meanwhile and go on afterwards, in the same stream; the log says when; what came through is what
    the records say."""
    phones, remotes, calling, answered, called = bridged(world)
    dataplane = world.gateway.plane("dataplane")
    for phone, remote in zip(phones, remotes):
        phone.speak_on(remote)
    for phone in phones:
        phone.wait_received(50)
    _link(world, "down")
    dataplane.wait_for_line(r"level=warn .*event=link-down port=0 interface=media0")
    for phone in phones:
        phone.wait_silence()
    heard = [phone.received for phone in phones]
    _link(world, "up")
    dataplane.wait_for_line(r"level=info .*event=link-up port=0 interface=media0")
    for phone, before in zip(phones, heard):
        phone.wait_received(before + 50)
        phone.hush()
    calling.tell(answered)
    calling.finish()
    called.finish()
    for host, address in ("caller", network.CALLER), ("callee", network.CALLEE):
        rtp.only(world.streams(host), network.GATEWAY, address)  # what was lost is a gap in it, no other stream
    rows = world.rows()
    check.equal("leg rows", len(rows.legs()), 2)
    check.stints_meet(rows.stints())
    world.audit()


def case_link_down_while_a_call_ends(world):
    """What was to be sent meanwhile is sent when the cable is back: the caller's answer and BYE, the callee's CANCEL."""
    world.start_gateway(world.documents(document.response(
        document.dial(DIALLED, answerOnBridge="true", timeout=3), document.hangup())))
    called = world.callee(sip.taken(), sip.ring(), sip.report("rings"), sip.receive("CANCEL"), sip.respond("200 OK"),
                          TERMINATED, sip.receive("ACK"))
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    called.wait("rings")
    _link(world, "down")
    world.gateway.plane("control").wait_for_line(r"event=session-ending cause=completed")
    _link(world, "up")
    called.finish()
    calling.finish()
    rows = world.rows()
    check.equal("leg rows", len(rows.legs()), 2)
    check.equal("statuses", [row["sip_status"] for row in rows.legs()], [200, 487])
    world.audit()


def case_dataplane_away_and_back(world):
    """No call is taken that would have no media; the peer is told when to try again."""
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=1)), document.hangup())))
    control = world.gateway.plane("control")
    world.gateway.forget("dataplane")
    control.wait_for_line(r"level=warn .*event=dataplane-silent")
    world.caller(sip.invite(), sip.refused("503"), label="refused").finish()
    world.gateway.start_plane("dataplane")
    control.wait_for_line(r"event=dataplane-alive")
    world.caller(*HEARD_OUT, label="served").finish()
    world.rows()
    world.audit()


def case_application_server_away_and_back(world):
    """A call that has no document yet is refused with 502, which does not keep the peer from sending others; the next
    call after the server is back is served."""
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=1)), document.hangup())))
    world.web.kill()
    refused = world.caller(sip.invite(), sip.refused("502"), label="refused")
    refused.finish()
    world.gateway.plane("control").wait_for_line(r"id=SE\w+ event=module-failed module=front-desk number=11200")
    world.web.start_again()
    served = world.caller(*HEARD_OUT, label="served")
    served.finish()
    rows = world.rows(sessions=2)
    check.equal("statuses", [row["sip_status"] for row in rows.sessions()], [502, 200])
    world.audit()


def case_application_server_stands_still(world):
    """A call waits for its document, and goes on when the server does."""
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=1)), document.hangup())))
    world.web.stop()
    waiting = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    world.gateway.plane("control").wait_for_line(r"event=call ")
    world.web.go_on()
    waiting.finish()
    check.equal("status", world.rows().only_session()["sip_status"], 200)
    world.audit()


def case_origin_away_and_back(world):
    """A sound that can't be had is left out, and the document goes on; when the origin is back it is played."""
    origin = world.origin()
    short = world.prompt("short.wav", seconds=3)  # longer than a failure is remembered
    prompt.make(origin.path("away.wav"), seconds=2)
    world.start_gateway(world.documents(document.response(
        document.play(f"{origin.url}/away.wav"), document.play(short), document.hangup())))
    phone = world.phone(world.network.caller)
    origin.kill()
    world.caller(*HEARD_OUT, label="without").finish()
    check.equal("packets heard without the origin", phone.wait_silence(), 150)
    control = world.gateway.plane("control")
    control.wait_for_line(r"event=source-failed source=.*away\.wav")
    control.wait_for_line(r"id=SE\w+ event=play-failed url=.*away\.wav")
    origin.start_again()
    world.caller(*HEARD_OUT, label="with").finish()
    check.equal("packets heard with the origin", phone.wait_silence() - 150, 250)
    check.equal("packets played", sorted(row["played_packets"] for row in world.rows(sessions=2).stints()), [150, 250])
    world.audit()


def case_media_worker_killed_while_it_decodes(world):
    """The sound is left out and the document goes on; the next call that asks for it hears it."""
    long = world.prompt("long.wav", seconds=200)
    short = world.prompt("short.wav", seconds=1)
    world.start_gateway(world.documents(document.response(document.play(short), document.play(long),
                                                          document.play(short), document.hangup())))
    control = world.gateway.plane("control")
    phone = world.phone(world.network.caller)
    first = world.caller(*HEARD_OUT, label="first")
    phone.wait_received(10)  # the worker of the short one is done
    media_worker.kill(control.pid)
    control.wait_for_line(r"level=warn .*event=worker-killed")
    control.wait_for_line(r"id=SE\w+ event=play-failed url=.*long\.wav")
    first.finish()
    check.equal("packets heard without it", phone.wait_silence(), 100)
    second = world.caller(*CALLS, sip.wait(), sip.bye(), label="second")
    answered = second.wait("answered")
    phone.wait_received(100 + 100)
    second.tell(answered)
    second.finish()
    check.equal("session rows", len(world.rows(sessions=2).sessions()), 2)
    world.audit()
