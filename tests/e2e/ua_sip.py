#!/usr/bin/python3
"""The user agent against SIPp and raw messages, on loopback.

    ua_sip.py PROBE [--only PATTERN]

PROBE: the program ua_probe. Prints PASS or FAIL and a name per case; ends with 0 when none failed."""

import argparse
import base64
import concurrent.futures
import fnmatch
import json
import os
import re
import resource
import socket
import sys
import time
import traceback

from bed import scenario as s
from bed.process import Failure
from ua_bench import LOCAL, SDP, STRANGER, Bench, free_port, header, status, to_tag

_CASES = []


def case(function):
    _CASES.append(function)
    return function


def check(holds, what):
    if not holds:
        raise Failure(what)


# --- calls that come in --------------------------------------------------------------------------------


@case
def answered_and_ended_by_the_caller(b):
    p = b.probe()
    b.sipp(s.invite(), s.answered(), s.ack(), s.bye(), remote=p.port).finish()
    p.expect("^INVITE .* sdp=.* trunk=local source=127.0.0.1:.*/udp from=\"?4711.*X-Order=\"?42",
             "^ACKED", "^ENDED", "^GONE")
    check("sdp" not in p.said[2], "an ACK without a body has SDP")


@case
def answered_and_ended_over_tcp(b):
    p = b.probe()
    said = b.sipp(s.invite(), s.answered(), s.ack(), s.bye(), remote=p.port, transport="t1").finish()
    p.expect("^INVITE .*/tcp", "^ACKED", "^ENDED", "^GONE")
    check(re.search(r"^Contact: <sip:[^>]*transport=tcp>", said[said.index("200 OK"):], re.M), "no TCP Contact")


@case
def no_tcp_where_it_is_off(b):
    p = b.probe(tcp=False)
    with open("/proc/net/tcp", encoding="ascii") as table:
        check(f":{p.port:04X} 00000000:0000" not in table.read(), "a TCP socket listens")


@case
def early_media(b):
    p = b.probe()
    said = b.sipp(s.invite(), s.answered(), s.ack(), s.bye(), remote=p.port, number="early").finish()
    early, late = said.index("SIP/2.0 183"), said.index("SIP/2.0 200")
    origin = [re.search(r"^o=.*", said[at:], re.M).group() for at in (early, late)]
    check(origin[0] == origin[1], f"one answer, two versions: {origin}")


@case
def ended_by_the_gateway(b):
    p = b.probe()
    said = b.sipp(s.invite(), s.answered(), s.ack(), s.ended(), remote=p.port, number="hangup").finish()
    check(header(said[said.index("\nBYE "):], "Reason") == 'Q.850;cause=16;text="Normal call clearing"', "Reason")
    p.expect("^INVITE", "^ACKED", "^GONE")


@case
def refused_by_the_handler(b):
    p = b.probe()
    b.sipp(s.invite(), s.refused("486"), remote=p.port, number="486").finish()
    p.expect("^INVITE", "^GONE")


@case
def cancelled(b):
    p = b.probe()
    b.sipp(s.invite(), s.ringing(), s.cancel(), s.receive("200"), s.refused("487"), remote=p.port,
           number="ring").finish()
    p.expect("^INVITE", "^CANCELLED", "^GONE")


@case
def cancel_with_reason(b):
    p = b.probe()
    raw = b.raw(p)
    invite = raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="r1", branch="z9hG4bKr1")
    raw.send(invite)
    p.expect("^INVITE")
    raw.send(raw.request("CANCEL", uri=f"sip:ring@{LOCAL}", call_id="r1", branch="z9hG4bKr1",
                         headers='Reason: SIP;cause=200;text="Call completed elsewhere"\nReason: Q.850;cause=26'))
    p.expect('^CANCELLED .*reason="Call completed elsewhere" q850=26')
    while (refusal := raw.final()) and header(refusal, "CSeq") != "1 INVITE":
        pass
    check(status(refusal) == 487, f"not refused, but {refusal}")
    p.silent()  # it isn't over before the refusal has arrived
    raw.send(raw.request("ACK", uri=f"sip:ring@{LOCAL}", call_id="r1", branch="z9hG4bKr1", to_tag=to_tag(refusal)))
    p.expect("^GONE")


@case
def early_dialog_ended_by_bye(b):
    p = b.probe()
    raw = b.raw(p)
    raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="e1"))
    while status(ringing := raw.receive()) != 180:
        check(ringing, "no 180")
    raw.send(raw.request("BYE", call_id="e1", to_tag=to_tag(ringing), cseq=2))
    check({status(raw.final()), status(raw.final())} == {200, 487}, "200 to BYE and 487 to INVITE")
    p.expect("^INVITE", "^CANCELLED", "^GONE")


@case
def late_offer(b):
    p = b.probe()
    b.sipp(s.invite(body=""), s.answered(), s._in_dialog("ACK", 1, s.sdp()), s.bye(), remote=p.port).finish()
    p.expect("^INVITE (?!.*sdp=)", "^ACKED .*sdp=", "^ENDED", "^GONE")


@case
def held_by_the_caller(b):
    p = b.probe()
    said = b.sipp(s.invite(), s.answered(), s.ack(), s.reinvite(2, "sendonly"), s.bye(3), remote=p.port).finish()
    p.expect("^INVITE", "^ACKED", "^REINVITE .*sdp=\\d+/1/0", "^ACKED", "^ENDED", "^GONE")
    versions = [int(v) for v in re.findall(r"^o=- 4711 (\d+)", said, re.M)]
    check(versions == sorted(set(versions)) and len(versions) == 2, f"versions of o=: {versions}")
    check("a=recvonly" in said, "sendonly isn't answered recvonly")


@case
def late_offer_in_a_reinvite(b):
    p = b.probe()
    b.sipp(s.invite(), s.answered(), s.ack(), s._in_dialog("INVITE", 2), s.receive("100", optional=True),
           s.receive("200", rrs=True), s._in_dialog("ACK", 2, s.sdp()), s.bye(3), remote=p.port).finish()
    p.expect("^INVITE", "^ACKED (?!.*sdp)", "^REINVITE (?!.*sdp)", "^ACKED .*sdp=", "^ENDED", "^GONE")


@case
def held_by_the_gateway(b):
    p = b.probe()
    b.sipp(s.invite(), s.answered(), s.ack(), s.receive("INVITE"), s.respond("200 OK", s.sdp("recvonly"), retrans=True),
           s.receive("ACK"), s.bye(2), remote=p.port, number="hold").finish()
    p.expect("^INVITE", "^ACKED", "^REINVITE_DONE .*status=200.*sdp=\\d+/2/0", "^ENDED", "^GONE")


_SAVE = """
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="there"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="here"/>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="number"/>"""


@case
def glare(b):
    """Both offer at once: 491 to both, and ours comes again after a random wait."""
    p = b.probe()
    own = "z9hG4bKglare[pid]"
    reinvite = s._in_dialog("INVITE", 2, s.sdp()).replace("branch=[branch]", f"branch={own}")
    ack = s._in_dialog("ACK", 2).replace("branch=[branch]", f"branch={own}")
    refusal = s.send("SIP/2.0 491 Request Pending\nVia:[$via]\nFrom:[$there]\nTo:[$here]\nCall-ID: [call_id]\n"
                     "CSeq: [$number] INVITE")
    b.sipp(s.invite(), s.answered(), s.ack(), s.receive("INVITE", actions=_SAVE), reinvite,
           s.receive("100", optional=True), s.receive("491"), ack, refusal, s.receive("ACK"), s.receive("INVITE"),
           s.respond("200 OK", s.sdp("recvonly"), retrans=True), s.receive("ACK"), s.bye(3), remote=p.port,
           number="hold").finish()
    p.expect("^INVITE", "^ACKED", "^REINVITE_DONE .*status=200", "^ENDED", "^GONE")


@case
def second_reinvite_while_one_is_unanswered(b):
    p = b.probe()
    raw = b.raw(p)
    raw.send(raw.request(uri=f"sip:mute@{LOCAL}", body=SDP, call_id="m1"))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="m1", to_tag=tag))
    p.wait("^ACKED")
    raw.send(raw.request(call_id="m1", to_tag=tag, cseq=2, body=SDP))
    p.wait("^REINVITE")
    check(status(raw.receive()) == 100, "no 100 at once")
    raw.send(raw.request(call_id="m1", to_tag=tag, cseq=3, body=SDP))
    answer = raw.final()
    check(status(answer) == 500 and header(answer, "Retry-After"), f"answered {answer}")
    raw.send(raw.request("BYE", call_id="m1", to_tag=tag, cseq=4))
    p.wait("^ENDED")
    p.expect("^GONE")


@case
def out_of_order_request(b):
    p = b.probe()
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="o1", cseq=10))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="o1", to_tag=tag, cseq=10))
    p.wait("^ACKED")
    raw.send(raw.request("OPTIONS", call_id="o1", to_tag=tag, cseq=9))
    check(status(raw.final()) == 500, "a lower CSeq")
    raw.send(raw.request("INFO", call_id="o1", to_tag=tag, cseq=11))
    answer = raw.final()
    check(status(answer) == 405 and "INVITE" in (header(answer, "Allow") or ""), "INFO in a dialog")
    raw.send(raw.request("BYE", call_id="o1", to_tag=tag, cseq=12))
    check(status(raw.final()) == 200, "BYE")


@case
def ack_never_comes(b):
    """The 200 is sent again until 64*T1, then the call is given up, and ended by BYE."""
    p = b.probe()
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="n1"))
    seen, begun = 0, time.monotonic()
    while time.monotonic() - begun < 45:
        message = raw.receive(45)
        if message and message.startswith("BYE"):
            break
        seen += message is not None and message.startswith("SIP/2.0 200")
    else:
        raise Failure("no BYE")
    check(30 < time.monotonic() - begun < 36, f"given up after {time.monotonic() - begun:.1f} s")
    check(9 <= seen <= 12, f"{seen} times 200")
    p.expect("^INVITE", "^NOT_ACKED")


@case
def hung_up_before_the_ack(b):
    """BYE waits for the ACK of our 200 (RFC 3261 15)."""
    p = b.probe()
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="h1"))
    answer = raw.final()
    leg = p.wait("^INVITE leg=(\\d+)").group(1)
    p.tell(f"bye {leg}")
    p.expect("^bye rc=0")
    again = raw.receive()
    check(status(again) == 200, "the 200 is not sent again, or a BYE came first")
    raw.send(raw.request("ACK", call_id="h1", to_tag=to_tag(answer)))
    while (message := raw.receive()) and not message.startswith("BYE"):
        pass
    check(message, "no BYE after the ACK")


@case
def dialog_gone(b):
    p = b.probe()
    b.sipp(s.invite(), s.answered(), s.ack(), s.bye(2), s._in_dialog("BYE", 3), s.receive("481"),
           remote=p.port).finish()


# --- calls that we make ----------------------------------------------------------------------------------


def place(p, sipp, word="call", more="", transport=""):
    p.tell(f"{word} sip:bob@{LOCAL}:{sipp.port}{transport}{more}")
    return p.wait("^prepared leg=(\\d+) state=(.*)")


@case
def call_answered(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.ring(), s.answer(), s.acked(), s.ended())
    match = place(p, far)
    p.expect("^PROGRESS .*status=180", "^ANSWERED .*status=200 .*sdp=", )
    p.tell(f"bye {match.group(1)}")
    p.expect("^bye rc=0", "^GONE")
    said = far.finish()
    branch = re.search(r'"branch":"([^"]+)"', match.group(2)).group(1)
    cseq = re.search(r'"invite_cseq":(\d+)', match.group(2)).group(1)
    check(f"branch={branch}.{cseq}" in said, "the INVITE's branch is not the one that was known before")
    check(header(said, "X-Probe") == "one; two", "X- header")
    check('From: "Probe" <sip:+41791234567@127.0.0.1>;tag=' in said, "From")


@case
def state_of_a_dialog(b):
    """What a successor would need is there before the message that depends on it leaves."""
    p = b.probe()
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    match = p.wait("^prepared leg=(\\d+) state=(.*)")
    leg, before = match.group(1), json.loads(match.group(2))
    invite = raw.receive()
    check(header(invite, "Call-ID") == before["call_id"], "Call-ID")
    check(header(invite, "From") == before["local"] and header(invite, "To") == before["remote"], "From and To")
    check(header(invite, "CSeq") == f"{before['invite_cseq']} INVITE", "CSeq")
    check(f"branch={before['branch']}.{before['invite_cseq']}" in header(invite, "Via"), "branch")
    check(before["state"] == "prepared" and before["direction"] == "out", "state")
    answer = raw.answer_to(invite, "200 OK", "far", SDP)
    raw.send(answer)
    raw.receive()
    p.expect("^ANSWERED")
    p.tell(f"state {leg}")
    up = json.loads(p.wait("^state (.*)").group(1))
    check(up["state"] == "up" and up["remote"].endswith(";tag=far"), f"{up}")
    check(up["target"] == f"<sip:raw@{LOCAL}:{raw.port}>" and up["peer"] == LOCAL, f"{up}")
    coming = raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, headers="X-Name: Z\u00fcrich")
    raw.send(coming)
    leg = p.wait("^INVITE leg=(\\d+)").group(1)
    p.tell(f"state {leg}")
    ringing = json.loads(p.wait("^state (.*)").group(1))
    kept = base64.b64decode(ringing["invite"]).decode("utf-8", "replace").replace("\r", "")
    check(ringing["state"] == "invited" and SDP in kept and "X-Name" in kept, f"{ringing}")


@case
def call_over_tcp(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.ring(), s.answer(), s.acked(), s.ended(), transport="t1")
    leg = place(p, far, transport=";transport=tcp").group(1)
    p.wait("^ANSWERED")
    p.tell(f"bye {leg}")
    p.wait("^GONE")
    far.finish()


@case
def call_ended_by_the_callee(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.answer(), s.acked(), s.callee_bye())
    place(p, far)
    p.expect("^ANSWERED", "^ENDED", "^GONE")
    far.finish()


@case
def call_refused(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.refuse("486 Busy Here"))
    leg = place(p, far).group(1)
    p.expect('^FAILED .*status=486 reason="?Busy Here"?$', "^GONE")
    far.finish()
    for word in ("bye", "cancel", "reinvite"):
        p.tell(f"{word} {leg}")
        p.expect(f"^{word} rc=-2$")
    p.tell(f"state {leg}")
    p.expect("^state null")


@case
def call_to_a_closed_port(b):
    p = b.probe()
    p.tell(f"call sip:bob@{LOCAL}:{free_port()}")
    p.wait("^prepared")
    p.expect("^FAILED .*status=503.* local", "^GONE")


@case
def call_that_nobody_answers(b):
    p = b.probe()
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    p.wait("^prepared")
    p.expect("^FAILED .*status=408.* local", "^GONE", timeout=40)


@case
def call_cancelled(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.ring(), s.receive("CANCEL"), s.respond("200 OK"),
                 s.send("SIP/2.0 487 Request Terminated\nVia:[$via]\nFrom:[$there]\nTo:[$here]" + s._TAG
                        + "\nCall-ID: [call_id]\nCSeq: [$number] INVITE", retrans=True), s.receive("ACK"))
    leg = place(p, far).group(1)
    p.expect("^PROGRESS")
    p.tell(f"cancel {leg}")
    p.expect("^cancel rc=0", "^FAILED (?!.*local).*status=487", "^GONE")
    far.finish()


@case
def call_cancelled_before_it_rings(b):
    """CANCEL waits for a provisional response (RFC 3261 9.1)."""
    p = b.probe()
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    leg = p.wait("^prepared leg=(\\d+)").group(1)
    invite = raw.receive()
    p.tell(f"cancel {leg}")
    p.expect("^cancel rc=0")
    again = raw.receive(1.2)
    check(again is None or again.startswith("INVITE"), f"before any answer came: {again}")
    raw.send(raw.answer_to(invite, "180 Ringing", "x"))
    while (message := raw.receive()) and not message.startswith("CANCEL"):
        pass
    check(message, "no CANCEL after 180")
    check(header(message, "Via") == header(invite, "Via"), "CANCEL has another Via than its INVITE")


@case
def answer_that_crosses_cancel(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.ring(), s.receive("CANCEL"), s.respond("200 OK"), s.answer_as_other(s._TAG),
                 s.receive("ACK"), s.ended())
    leg = place(p, far).group(1)
    p.expect("^PROGRESS")
    p.tell(f"cancel {leg}")
    p.expect("^cancel rc=0", "^FAILED .*crossed", "^GONE")
    far.finish()


@case
def two_far_ends_answer(b):
    """The first 200 wins; the dialog of the second gets ACK and BYE."""
    p = b.probe()
    other = s.receive("BYE", header=("To", "tag=other"))
    far = b.sipp(s.taken(), s.answer(retrans=False), s.acked(), s.answer_as_other(";tag=other"),
                 s.receive("ACK", header=("To", "tag=other")), other, s.respond("200 OK"), s.ended())
    leg = place(p, far).group(1)
    p.expect("^ANSWERED")
    p.silent(1)
    p.tell(f"bye {leg}")
    p.expect("^bye rc=0", "^GONE")
    far.finish()


@case
def answer_sent_again(b):
    """A retransmitted 200 gets its ACK again, also after the call; ours is not told of it."""
    p = b.probe()
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    leg = p.wait("^prepared leg=(\\d+)").group(1)
    answer = raw.answer_to(raw.receive(), "200 OK", "far", SDP)
    for again in range(3):
        raw.send(answer)
        check((raw.receive() or "").startswith("ACK"), f"no ACK to the {again + 1}. 200")
    p.expect("^ANSWERED")
    p.tell(f"bye {leg}")
    bye = raw.receive()
    check(bye and bye.startswith("BYE"), f"no BYE: {bye}")
    raw.send(raw.answer_to(bye, "200 OK"))
    p.expect("^bye rc=0", "^GONE")
    raw.send(answer)
    check((raw.receive() or "").startswith("ACK"), "no ACK after the end")


@case
def call_without_offer(b):
    p = b.probe()
    far = b.sipp(s.receive("INVITE", rrs=True), s.answer(),
                 s.receive("ACK", actions='<ereg regexp="m=audio 20000 RTP/AVP 0 101" search_in="body" '
                           'check_it="true" assign_to="ignored"/>'), s.ended())
    leg = place(p, far, word="late").group(1)
    p.expect("^ANSWERED .*sdp=")
    p.tell(f"bye {leg}")
    p.wait("^GONE")
    far.finish()


@case
def call_held_by_the_gateway(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.answer(), s.acked(), s.receive("INVITE"), s.answer(tag="", direction="recvonly"),
                 s.acked(), s.ended())
    leg = place(p, far).group(1)
    p.expect("^ANSWERED")
    p.tell(f"cancel {leg}")
    p.expect("^cancel rc=-114$")
    p.tell(f"reinvite {leg}")
    p.tell(f"reinvite {leg}")
    p.expect("^reinvite rc=0", "^reinvite rc=-16$", "^REINVITE_DONE .*status=200 .*sdp=")
    p.tell(f"bye {leg}")
    p.expect("^bye rc=0", "^GONE")
    said = far.finish()
    versions = [int(v) for v in re.findall(r"^o=- 4711 (\d+)", said, re.M)]
    check(len(versions) == 2 and versions[0] < versions[1], f"versions of o=: {versions}")


@case
def call_held_by_the_callee(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.answer(), s.acked(), s.callee_request("INVITE", 1, s.sdp("sendonly")),
                 s.receive("100", optional=True), s.receive("200", rrs=True), s.callee_request("ACK", 1),
                 s.callee_bye(2))
    place(p, far)
    p.expect("^ANSWERED", "^REINVITE .*sdp=\\d+/1/0", "^ACKED", "^ENDED", "^GONE")
    far.finish()


@case
def reinvite_answered_491(b):
    """Whoever made the Call-ID waits 2.1 to 4 s (RFC 3261 14.1)."""
    p = b.probe()
    far = b.sipp(s.taken(), s.answer(), s.acked(), s.receive("INVITE"), s.respond("491 Request Pending"), s.acked(),
                 s.receive("INVITE"), s.answer(tag=""), s.acked(), s.ended())
    leg = place(p, far).group(1)
    p.expect("^ANSWERED")
    begun = time.monotonic()
    p.tell(f"reinvite {leg}")
    p.expect("^reinvite rc=0", "^REINVITE_DONE .*status=200")
    check(2.0 < time.monotonic() - begun < 4.6, f"waited {time.monotonic() - begun:.1f} s")
    p.tell(f"bye {leg}")
    p.wait("^GONE")
    far.finish()


@case
def reinvite_into_a_dialog_that_is_gone(b):
    p = b.probe()
    far = b.sipp(s.taken(), s.answer(), s.acked(), s.receive("INVITE"), s.respond("481 No Such Call"), s.acked())
    leg = place(p, far).group(1)
    p.expect("^ANSWERED")
    p.tell(f"reinvite {leg}")
    p.expect("^reinvite rc=0", "^ENDED .*status=481", "^GONE")
    far.finish()


@case
def call_through_a_proxy(b):
    """Record-Route: the requests in the dialog carry the route and have the Contact as their URI."""
    p = b.probe()
    route = f"Record-Route: <sip:{LOCAL}:[local_port];lr>"
    far = b.sipp(s.taken(), s.respond("200 OK", s.sdp(types="0 101"), tag=s._TAG, headers="\n" + route),
                 s.receive("ACK", header=("Route", ";lr>")), s.receive("BYE", header=("Route", ";lr>")),
                 s.respond("200 OK"))
    leg = place(p, far).group(1)
    p.expect("^ANSWERED")
    p.tell(f"state {leg}")
    p.wait('^state .*"route":\\["<sip:127.0.0.1:\\d+;lr>"\\]')
    p.tell(f"bye {leg}")
    p.wait("^GONE")
    said = far.finish()
    check("BYE sip:far@127.0.0.1" in said, "BYE has not the Contact as its URI")


def _challenge(realm="carrier", code="401 Unauthorized", name="WWW-Authenticate", algorithm="MD5"):
    return s.respond(code, tag=";tag=c", headers=f'\n{name}: Digest realm="{realm}", nonce="n1", qop="auth", '
                     f"algorithm={algorithm}") + s.receive("ACK")


@case
def call_challenged(b):
    for algorithm in ("MD5", "SHA-256"):
        p = b.probe()
        far = b.sipp(s.taken(), _challenge(algorithm=algorithm),
                     s.receive("INVITE", header=("Authorization", 'username="user", realm="carrier"')), s.answer(),
                     s.receive("ACK", header=("Authorization", 'realm="carrier"')), s.ended())
        leg = place(p, far, more=" user secret").group(1)
        p.expect("^ANSWERED")
        p.tell(f"bye {leg}")
        p.wait("^GONE")
        far.finish()


@case
def call_challenged_without_credentials(b):
    p = b.probe()
    far = b.sipp(s.taken(), _challenge("carrier", "407 Proxy Authentication Required", "Proxy-Authenticate"))
    place(p, far)
    p.expect("^FAILED .*status=407", "^GONE")
    far.finish()


@case
def second_challenge_of_another_realm(b):
    """One realm gets credentials; whoever is further on gets none."""
    p = b.probe()
    far = b.sipp(s.taken(), _challenge(), s.receive("INVITE"), _challenge("evil"))
    place(p, far, more=" user secret")
    p.expect("^FAILED .*status=401", "^GONE")
    check('realm="evil", nonce="n1", uri' not in far.finish(), "credentials for another realm")


@case
def illegal_values(b):
    p = b.probe()
    for kind in ("header", "name", "display", "user", "target"):
        p.tell(f"bad {kind}")
        p.expect("^refused rc=-22")


# --- what is refused -------------------------------------------------------------------------------------


@case
def stranger(b):
    p = b.probe()
    raw = b.raw(p, STRANGER)
    raw.send(raw.request(body=SDP, via=f"{STRANGER}:{raw.port}"))
    check(status(raw.receive()) == 403, "INVITE of a stranger")
    for method in ("OPTIONS", "REGISTER", "MESSAGE", "BYE"):
        raw.send(raw.request(method))
    check(raw.receive(0.5) is None, "a stranger's other requests are answered")
    check(p.counters()["source"] == 5, f"counters: {p.said[-1]}")


@case
def stranger_in_a_dialog(b):
    """BYE and CANCEL of someone who knows the dialog but isn't its far end."""
    p = b.probe()
    raw, evil = b.raw(p), b.raw(p, STRANGER)
    raw.send(raw.request(body=SDP, call_id="s1"))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="s1", to_tag=tag))
    p.expect("^INVITE", "^ACKED")
    evil.send(evil.request("BYE", call_id="s1", to_tag=tag, cseq=2))
    check(evil.receive(0.5) is None, "BYE is answered")
    evil.send(evil.request(call_id="s1", to_tag=tag, cseq=3, body=SDP))
    check(status(evil.final()) == 403, "re-INVITE")
    ringing = raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="s2", branch="z9hG4bKs2")
    raw.send(ringing)
    p.expect("^INVITE")
    evil.send(evil.request("CANCEL", uri=f"sip:ring@{LOCAL}", call_id="s2", branch="z9hG4bKs2",
                           via=f"{LOCAL}:{raw.port}"))
    p.silent()
    check(p.counters()["source"] == 3, f"counters: {p.said[-1]}")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return sum(int(ticks) for ticks in file.read().rpartition(")")[2].split()[11:13]) / os.sysconf("SC_CLK_TCK")


def connects(source, port, timeout=0.7):
    """A connection, or None when nobody answers."""
    one = socket.socket()
    one.bind((source, 0))
    one.settimeout(timeout)
    try:
        one.connect((LOCAL, port))
        return one
    except OSError:
        one.close()
        return None


@case
def stranger_over_tcp(b):
    p = b.probe()
    check(connects(STRANGER, p.port) is None, "a stranger has a connection")
    with connects(LOCAL, p.port) as one:
        raw = b.raw(p)
        one.send(raw.request("OPTIONS").replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace("\n", "\r\n").encode())
        check(one.recv(4096).startswith(b"SIP/2.0 200"), "a trunk's OPTIONS over TCP")


@case
def callee_that_is_no_trunk_opens_a_connection(b):
    """It is let in for as long as it has a call of ours."""
    p = b.probe()
    raw = b.raw(p)
    with socket.socket() as far:
        far.bind((STRANGER, 0))
        far.listen()
        far.settimeout(5)
        p.tell(f"call sip:bob@{STRANGER}:{far.getsockname()[1]};transport=tcp")
        p.wait("^prepared")
        with far.accept()[0] as called:
            invite = called.recv(65536).decode().replace("\r", "")
            check(connects(STRANGER, p.port) is None, "a callee has a connection before it answers")
            answer = raw.answer_to(invite, "200 OK", tag="far", body=SDP)
            called.send(answer.replace("\n", "\r\n").encode())
            p.expect("^ANSWERED")
            with connects(STRANGER, p.port) as back:
                bye = "\n".join([
                    f"BYE sip:{LOCAL}:{p.port};transport=tcp SIP/2.0",
                    f"Via: SIP/2.0/TCP {STRANGER}:5060;branch=z9hG4bKbye", f"From: {header(invite, 'To')};tag=far",
                    f"To: {header(invite, 'From')}", f"Call-ID: {header(invite, 'Call-ID')}", "CSeq: 1 BYE",
                    "Max-Forwards: 70", "Content-Length: 0", "", ""])
                back.send(bye.replace("\n", "\r\n").encode())
                check(back.recv(4096).startswith(b"SIP/2.0 200"), "BYE over a connection of the callee's")
    p.expect("^ENDED", "^GONE")


@case
def connections_that_take_all_descriptors(b):
    """The last quarter stays free for everything else."""
    p = b.probe()
    limit = 80
    resource.prlimit(p.pid, resource.RLIMIT_NOFILE, (limit, limit))
    held = []
    try:
        while len(held) < limit and (one := connects(LOCAL, p.port)):
            held.append(one)
            time.sleep(0.03)
        check(limit // 4 < len(held) < limit * 3 // 4 + 8, f"{len(held)} connections of {limit} descriptors")
        check(len(os.listdir(f"/proc/{p.pid}/fd")) < limit * 7 // 8, "no descriptors are left")
        check("event=tcp-shut" in p.log(), "the log doesn't tell")
        before = cpu_seconds(p.pid)
        raw = b.raw(p)
        raw.send(raw.request("OPTIONS"))
        check(status(raw.final()) == 200, "OPTIONS over UDP")
        time.sleep(1)
        check(cpu_seconds(p.pid) - before < 0.5, "it spins")
    finally:
        for one in held:
            one.close()
    time.sleep(0.5)
    one = connects(LOCAL, p.port, 3)
    check(one, "the port stays shut")
    one.close()
    check(p.log().count("event=tcp-") == 2, p.log())


@case
def datagrams_like_stun(b):
    """The stack prints a line for each by itself."""
    p = b.probe()
    raw = b.raw(p, STRANGER)
    for first in (b"\0\1", b"\0\0"):
        for _ in range(50):
            raw.send(first + b"\0\0" + b"x" * 16)
            time.sleep(0.002)
    known = b.raw(p)
    known.send(known.request("OPTIONS"))
    check(status(known.final()) == 200, "OPTIONS afterwards")
    check(len(p.log().splitlines()) < 10, p.log()[-2000:])


@case
def too_many_per_second(b):
    p = b.probe(calls_per_second=5)
    raw = b.raw(p)
    answers = []
    for _ in range(8):
        raw.send(raw.request(uri=f"sip:404@{LOCAL}", body=SDP))
        answers.append(raw.final())
    codes = [status(a) for a in answers]
    check(codes == [404] * 5 + [503] * 3, f"{codes}")
    check(header(answers[-1], "Retry-After"), "no Retry-After")
    check(p.counters()["rate"] == 3, f"counters: {p.said[-1]}")
    time.sleep(0.5)
    raw.send(raw.request(uri=f"sip:404@{LOCAL}", body=SDP))
    check(status(raw.final()) == 404, "not let in again")


@case
def too_many_at_a_time(b):
    for limit in ({"max_calls": 2}, {"max_sessions": 2}):
        p = b.probe(**limit)
        raw = b.raw(p)
        for _ in range(2):
            raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="l1", branch="z9hG4bKl1") if _ else
                     raw.request(uri=f"sip:ring@{LOCAL}", body=SDP))
            p.wait("^INVITE")
        while raw.receive(0.2):
            pass
        raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP))
        answer = raw.final()
        check(status(answer) == 503 and header(answer, "Retry-After"), f"the third: {answer}")
        raw.send(raw.request("CANCEL", uri=f"sip:ring@{LOCAL}", call_id="l1", branch="z9hG4bKl1"))
        p.wait("^CANCELLED")
        raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP))
        p.wait("^INVITE")
        check(p.counters()["limit"] == 1, f"counters: {p.said[-1]}")


@case
def draining(b):
    p = b.probe()
    raw = b.raw(p)
    p.tell("drain")
    p.wait("^draining")
    raw.send(raw.request(body=SDP))
    check(status(raw.final()) == 503, "a new call")
    raw.send(raw.request("OPTIONS"))
    check(status(raw.final()) == 200, "OPTIONS")


@case
def requests_that_are_refused(b):
    p = b.probe()
    raw = b.raw(p)
    refused = {
        "REGISTER": (raw.request("REGISTER"), 405), "SUBSCRIBE": (raw.request("SUBSCRIBE"), 405),
        "MESSAGE": (raw.request("MESSAGE"), 405), "PRACK": (raw.request("PRACK"), 405),
        "UPDATE": (raw.request("UPDATE"), 405), "INFO": (raw.request("INFO"), 405),
        "REFER": (raw.request("REFER"), 405), "NOTIFY": (raw.request("NOTIFY"), 405),
        "PUBLISH": (raw.request("PUBLISH"), 405), "unknown method": (raw.request("FROB"), 405),
        "Require": (raw.request(headers="Require: 100rel, foo", body=SDP), 420),
        "body of another type": (raw.request(body="hello", content="text/plain"), 415),
        "an answer that may hold no SDP": (raw.request(body=SDP, headers="Accept: text/plain"), 406),
        "encoded body": (raw.request(body=SDP, headers="Content-Encoding: gzip"), 415),
        "no hops left": (raw.request(body=SDP, forwards=0), 483),
        "URI scheme": (raw.request(uri="http://example.com/", body=SDP), 416),
        "sips": (raw.request(uri=f"sips:200@{LOCAL}", body=SDP), 416),
        "version": (raw.request(body=SDP).replace(" SIP/2.0\n", " SIP/7.0\n", 1), 505),
        "no dialog": (raw.request(body=SDP, to_tag="nowhere"), 481),
        "BYE of nothing": (raw.request("BYE", to_tag="nowhere"), 481),
        "CANCEL of nothing": (raw.request("CANCEL"), 481),
        "no Contact": (raw.request(body=SDP, contact=False), 400),
        "no Call-ID": (raw.request(body=SDP).replace("Call-ID:", "X-Call-ID:"), 400),
        "no From": (raw.request(body=SDP).replace("\nFrom:", "\nX-From:"), 400),
        "no To": (raw.request(body=SDP).replace("\nTo:", "\nX-To:"), 400),
        "no CSeq": (raw.request(body=SDP).replace("\nCSeq:", "\nX-CSeq:"), 400),
        "CSeq of another method": (raw.request(body=SDP).replace("1 INVITE", "1 OPTIONS"), 400),
        "NUL in the Request-URI": (raw.request(uri=f"sip:200%00x@{LOCAL}", body=SDP), 400),
        "NUL in From": (raw.request(body=SDP).replace("\nFrom: <sip:raw", "\nFrom: <sip:ra%00w"), 400),
        "NUL in To": (raw.request(body=SDP).replace("\nTo: <sip:200", "\nTo: <sip:%00200"), 400),
        "unreadable SDP": (raw.request(body="v=0\nnonsense\n"), 488),
        "no codec in common": (raw.request(body=SDP.replace("RTP/AVP 0 101", "RTP/AVP 18")), 488),
    }
    for what, (message, wanted) in refused.items():
        raw.send(message)
        answer = raw.final()
        check(status(answer) == wanted, f"{what}: {status(answer)}, not {wanted}")
        if wanted == 405:
            check("BYE" in header(answer, "Allow"), f"{what}: no Allow")
        if wanted == 420:
            check(header(answer, "Unsupported").replace(" ", "") == "100rel,foo", f"{header(answer, 'Unsupported')}")
        if wanted == 415:
            check(header(answer, "Accept") == "application/sdp", f"{what}: no Accept")
        if wanted >= 400 and what not in ("no To",):
            check(to_tag(answer), f"{what}: no To tag")
    raw.send(raw.request("OPTIONS"))
    check(status(raw.final()) == 200, "OPTIONS afterwards")


@case
def merged_request(b):
    p = b.probe()
    raw = b.raw(p)
    raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="g1", branch="z9hG4bKg1"))
    p.wait("^INVITE")
    while raw.receive(0.2):
        pass
    raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="g1", branch="z9hG4bKg2"))
    check(status(raw.final()) == 482, "merged request")
    p.silent()


@case
def retransmitted_request(b):
    """The same INVITE again is no second call; the same refusal again has the same To tag."""
    p = b.probe()
    raw = b.raw(p)
    invite = raw.request(uri=f"sip:ring@{LOCAL}", body=SDP)
    raw.send(invite)
    p.expect("^INVITE")
    raw.send(invite)
    p.silent()
    while raw.receive(0.2):
        pass
    refused = raw.request("MESSAGE")
    raw.send(refused)
    first = raw.receive()
    raw.send(refused)
    check(to_tag(first) and to_tag(first) == to_tag(raw.receive()), "To tags differ")


@case
def memory_of_a_flood(b):
    """Refused requests leave nothing behind."""
    p = b.probe(calls_per_second=1, max_calls=1)
    raw, evil = b.raw(p), b.raw(p, STRANGER)

    def resident():
        with open(f"/proc/{p._child.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4
    for number in range(6000):
        if number == 2000:
            before = resident()
        raw.send(raw.request(uri=f"sip:404@{LOCAL}", body=SDP) if number % 2 else raw.request("OPTIONS"))
        evil.send(evil.request(body=SDP))
        if number % 20 == 19:
            while raw.receive(0.01):
                pass
            while evil.receive(0.01):
                pass
    grown = resident() - before
    check(grown < 4096, f"{grown} KiB more after 8,000 requests")


def run(function, program):
    bench = Bench(program)
    try:
        try:
            function(bench)
        finally:
            bench.close()
        return None
    except Failure as failure:
        return str(failure)
    except Exception:
        return traceback.format_exc()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("--only", default="*")
    parser.add_argument("--jobs", type=int, default=6)
    options = parser.parse_args()
    slow = ("ack_never_comes", "call_that_nobody_answers")
    cases = [c for c in _CASES if fnmatch.fnmatch(c.__name__, options.only)]
    cases.sort(key=lambda c: c.__name__ not in slow)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for function, future in [(c, pool.submit(run, c, options.probe)) for c in cases]:
            fault = future.result()
            failed += fault is not None
            print(f"{'PASS' if fault is None else 'FAIL'} {function.__name__}", flush=True)
            if fault:
                print("    " + fault.replace("\n", "\n    "), flush=True)
    print(f"{len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
