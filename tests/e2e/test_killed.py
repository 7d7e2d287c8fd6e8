"""A plane is killed in the middle of a call and comes back; the call goes on."""

import contextlib

from bed import check, document, gateway, network, region, scenario as sip
from bed.case import main
from bed.conductor import media
from bed.process import Failure
from test_relay import CALLS, IS_CALLED, dial_at_once, talk

LONGEST_GAP_S = 1.0


def replace(world, plane):
    """kill -9, and a new process in its place."""
    world.gateway.forget(plane)
    return world.gateway.start_plane(plane)


def bridged(world):
    """Two phones in a call. Returns (phones, remotes, caller's SIPp, its last report, callee's SIPp)."""
    dial_at_once(world)
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    return phones, remotes, calling, answered, called


def longest_gap(stream):
    times = [packet.time for packet in stream.packets]
    return max(two - one for one, two in zip(times, times[1:]))


@main
def case_control_while_relaying(world):
    """No packet is lost, the call is taken up, the caller's BYE ends it, the records are whole. The call's first
    records are behind a checkpoint by then."""
    phones, remotes, calling, answered, called = bridged(world)
    for phone, remote in zip(phones, remotes):
        phone.speak_on(remote)
    phones[0].wait_received(50)
    world.gateway.plane("control").wait_for_line(r"event=checkpoint-written")
    control = replace(world, "control")
    control.wait_for_line(r"event=checkpoint-used")
    control.wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    phones[0].wait_received(phones[0].received + 50)
    sent = [phone.hush() for phone in phones]
    phones[0].wait_received(sent[1])
    phones[1].wait_received(sent[0])
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows()
    caller, callee = world.streams("caller"), world.streams("callee")
    check.one_voice(caller, network.CALLER)
    check.one_voice(callee, network.CALLEE)
    check.packets(rows.stints(), caller, callee)
    check.equal("leg rows", len(rows.legs()), 2)
    check.none("rows that are partial", [row["partial"] for row in rows.legs() if row["partial"]])
    world.audit()


def case_control_and_the_callee_hangs_up(world):
    """After the kill it is the callee that ends it: its BYE is answered and the caller gets one."""
    dial_at_once(world)
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.wait(), sip.callee_bye())
    calling = world.caller(*CALLS, sip.ended())
    answered, reached = calling.wait("answered"), called.wait("answered")
    # Long enough for the session to be kept as it is after the ACK: a successor repeats one that it isn't sure of.
    talk(phones, (media(answered), media(reached)), 25)
    replace(world, "control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    called.tell(reached)
    called.finish()
    calling.finish()
    check.equal("leg rows", len(world.rows().legs()), 2)
    world.audit()


def case_control_while_playing(world):
    """The prompt goes on; its end is found by the successor, which goes on with the document."""
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=3)), document.hangup())))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    phone.wait_received(20)
    replace(world, "control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    calling.finish()
    streams = world.streams("caller")
    check.equal("packets of the prompt", len(check.one_voice(streams, network.CALLER)), 150)
    check.packets(world.rows().stints(), streams)
    world.audit()


def case_control_while_gathering(world):
    """A digit that is pressed while there is no control plane waits for the next one."""
    asked = document.gather("next.xml", document.play(world.prompt(seconds=20)), digits=2, timeout=10)
    world.web.put("front-desk/next.xml", document.response(document.pause(1), document.hangup()))
    world.start_gateway(world.documents(document.response(asked, document.hangup())))
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.report("answered", media=True), sip.ended())
    remote = media(calling.wait("answered"))
    phone.wait_received(20)
    phone.press(remote, "4")
    phone.wait_silence()
    world.gateway.forget("control")
    phone.press(remote, "2")
    world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    calling.finish()
    queries = [request[3] for request in world.web.requests() if request[1] == "/front-desk/next.xml"]
    if not queries or "Digits=42" not in queries[-1].split("&"):
        raise Failure(f"the action was asked for with {queries}")
    check.equal("digits in the records", sum(row["digits"] for row in world.rows().stints()), 2)
    world.audit()


def case_control_while_ringing_out(world):
    """The callee rings, the control plane is another, the callee answers."""
    dial_at_once(world)
    # The successor repeats the INVITE, perhaps just after the 200.
    called = world.callee(sip.taken(), sip.ring(), sip.report("rings"), sip.wait(), sip.answer(),
                          sip.receive("INVITE", optional=True), sip.acked(), sip.report("answered", media=True),
                          sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    rings = called.wait("rings")
    replace(world, "control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
    called.tell(rings)
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    talk(phones, (media(answered), media(called.wait("answered"))), 20)
    calling.tell(answered)
    calling.finish()
    called.finish()
    check.equal("leg rows", len(world.rows().legs()), 2)
    world.audit()


def case_dataplane_while_relaying(world):
    """Media resumes within a second, with the same SSRC and no gap in the sequence."""
    phones, remotes, calling, answered, called = bridged(world)
    for phone, remote in zip(phones, remotes):
        phone.speak_on(remote)
    phones[0].wait_received(50)
    replace(world, "dataplane").wait_for_line(r"event=legs-taken-over legs=2 ")
    for phone in phones:
        phone.wait_received(phone.received + 50)
    for phone in phones:
        phone.hush()
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows(certain=False)
    caller, callee = world.streams("caller"), world.streams("callee")
    for streams, host in (caller, network.CALLER), (callee, network.CALLEE):
        heard = check.one_voice(streams, host, spacing=False)
        if longest_gap(heard) >= LONGEST_GAP_S:
            raise Failure(f"{host} heard nothing for {longest_gap(heard):.3f} s")
    check.equal("leg rows", len(rows.legs()), 2)
    check.replaced_once(rows, caller, callee)
    world.audit()


def case_dataplane_ended_in_order(world):
    """SIGTERM: nothing that was sent is uncertain, but what came while there was none is not counted, and the rows
    say so."""
    phones, remotes, calling, answered, called = bridged(world)
    talk(phones, remotes, 20)
    check.equal("exit status", world.gateway.plane("dataplane").stop(), 0)
    replace(world, "dataplane")
    talk(phones, remotes, 20)
    calling.tell(answered)
    calling.finish()
    called.finish()
    rows = world.rows(certain=False)
    check.replaced_once(rows, world.streams("caller"), world.streams("callee"))
    check.equal("uncertain packets", [row["uncertain_packets"] for row in rows.rows], [0] * len(rows.rows))
    world.audit()


def case_dataplane_while_playing(world):
    world.start_gateway(world.documents(document.response(document.play(world.prompt(seconds=3)), document.hangup())))
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    calling = world.caller(sip.invite(), sip.answered(), sip.ack(), sip.ended())
    phone.wait_received(20)
    replace(world, "dataplane")
    calling.finish()
    streams = world.streams("caller")
    heard = check.one_voice(streams, network.CALLER, spacing=False)
    if longest_gap(heard) >= LONGEST_GAP_S:
        raise Failure(f"the caller heard nothing for {longest_gap(heard):.3f} s")
    check.replaced_once(world.rows(certain=False), streams)
    world.audit()


def case_both_and_the_region_gone(world):
    """As after a reboot: the journal alone closes the session, and says that its figures are uncertain."""
    phones, remotes, calling, answered, called = bridged(world)
    talk(phones, remotes, 20)
    for plane in ("control", "dataplane"):
        world.gateway.forget(plane)
    region.remove(gateway.region_name())
    world.gateway.start()
    rows = world.rows(certain=False)
    check.equal("leg rows", len(rows.legs()), 2)
    if not rows.only_session()["partial"]:
        raise Failure("the session's row does not say that it is partial")
    world.audit()
    # The far ends learn of it when they send BYE: there is no such call any more.
    for sipp in calling, called:
        sipp.close()


def case_control_before_the_refusal_is_acknowledged(world):
    """Its caller, which was told to wait, may not have heard of it and does nothing more: the successor says it
    again."""
    port, branch = 5070, "z9hG4bKrefused"
    world.start_gateway(world.documents(document.response(document.reject())))
    with world.network.caller.socket(bind=(network.CALLER, port)) as udp:
        def request(method, to=""):
            udp.sendto("\r\n".join((
                f"{method} sip:100@{network.GATEWAY} SIP/2.0", f"Via: SIP/2.0/UDP {network.CALLER}:{port};branch={branch}",
                f"From: <sip:refused@{network.CALLER}>;tag=refused", to or f"To: <sip:100@{network.GATEWAY}>",
                "Call-ID: refused", f"CSeq: 1 {method}", "Max-Forwards: 70",
                f"Contact: <sip:refused@{network.CALLER}:{port}>", "Content-Length: 0", "", "")).encode(),
                       (network.GATEWAY, 5060))

        def final():
            while (said := udp.recv(4096).decode()).startswith("SIP/2.0 1"):
                pass
            return said

        udp.settimeout(10)
        request("INVITE")
        first = final()
        check.equal("status", first.split()[1], "603")
        world.gateway.forget("control")
        udp.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while udp.recv(4096):
                pass
        udp.settimeout(10)
        world.gateway.start_plane("control").wait_for_line(r"event=taken-up sessions=1 closed_by_record=0")
        again = final()
        to = [line for line in again.split("\r\n") if line.startswith("To:")][0]
        check.equal("status", again.split()[1], "603")
        check.equal("To", to in first.split("\r\n"), True)
        request("ACK", to)
        rows = world.rows()
    check.equal("SIP status of the leg", [leg["sip_status"] for leg in rows.legs()], [603])
    world.audit()
