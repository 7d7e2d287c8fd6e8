#!/usr/bin/python3
"""A user agent is killed (SIGKILL) in the middle of a call, and a second one takes the call over.

    ua_takeover.py PROBE [--only PATTERN]

PROBE: the program ua_probe. The far ends are SIPp and raw messages, on loopback; SIPp is told of nothing and sees
a normal call. Prints PASS or FAIL and a name per case; ends with 0 when none failed."""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import re
import socket
import sys

from bed import scenario as s
from bed.process import Failure
from ua_bench import LOCAL, SDP, STRANGER, header, status, to_tag
from ua_sip import check, connects, place, run

_CASES = []
# Where each message goes through a proxy: ours have to take the same way back.
_ROUTE = f"\nRecord-Route: <sip:{LOCAL}:[local_port];lr>"
_ROUTED = ("Route", ";lr>")


def case(function):
    _CASES.append(function)
    return function


def pause(ms=1500):
    """As long as SIPp is to do nothing: the process dies and has a successor meanwhile."""
    return f'<pause milliseconds="{ms}"/>'


def kept(b, p):
    return os.path.join(b.directory, f"kept-{p.port}")


def mortal(b, die=None, **settings):
    """A user agent that keeps its state, and dies by itself at a moment."""
    p = b.probe(**settings)
    p.tell(f"keep {kept(b, p)}")
    p.expect("^keeping")
    if die:
        p.tell(f"die {die}")
        p.expect("^mortal")
    return p


def successor(b, p, state, die=None, **settings):
    """The process after p, once that is dead; what p kept last must be in this state. Gives it and its leg."""
    p.killed()
    q = b.probe(port=p.port, **settings)
    q.tell(f"keep {kept(b, p)}")
    q.expect("^keeping")
    if die:
        q.tell(f"die {die}")
        q.expect("^mortal")
    q.tell(f"restore {kept(b, p)}")
    leg = q.wait(f"^restored leg=(\\d+) .*state={state}$").group(1)
    q.wait("^restoration done")
    return q, leg


def last_state(b, p):
    with open(kept(b, p), encoding="utf-8") as file:
        return json.loads(file.readlines()[-1])["dialog"]


def answered_once(said):
    """The final answers to the INVITE that SIPp received: all one and the same message."""
    answers = re.findall(r"^SIP/2\.0 200 OK\n(?:(?!\n\n).)*?CSeq: 1 INVITE.*?(?=\n---|\Z)", said, re.M | re.S)
    check(len({a.strip() for a in answers}) == 1, f"{len(answers)} answers that differ:\n" + "\n".join(answers))


# --- calls that come in --------------------------------------------------------------------------------


@case
def ringing_call_is_answered(b):
    p = mortal(b, "after:ring")
    far = b.sipp(s.invite(headers=_ROUTE), s.answered(), s.ack(), s.bye(), remote=p.port, number="ring")
    q, leg = successor(b, p, "invited")
    q.tell(f"answer {leg}")
    q.expect("^answer done", "^ACKED", "^ENDED", "^GONE")
    far.finish()


@case
def ringing_call_is_refused(b):
    p = mortal(b, "before:ring")
    far = b.sipp(s.invite(), s.refused("486"), remote=p.port, number="ring")
    q, leg = successor(b, p, "invited")
    q.tell(f"bye {leg}")
    q.tell(f"refuse {leg}")
    q.expect("^bye rc=-22", "^refuse rc=0", "^GONE")
    far.finish()


@case
def ringing_call_is_cancelled(b):
    p = mortal(b, "after:ring")
    far = b.sipp(s.invite(), s.ringing(), pause(), s.cancel(), s.receive("200"), s.refused("487"), remote=p.port,
                 number="ring")
    q, _ = successor(b, p, "invited")
    q.expect("^CANCELLED", "^GONE")
    far.finish()


def _refusal_is_lost(b, refuse):
    """A caller that was told to wait never asks again. refuse: has p say no, or CANCELs."""
    p = mortal(b)
    raw = b.raw(p)
    raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="l1", branch="z9hG4bKl1"))
    leg = p.wait("^INVITE leg=(\\d+)").group(1)
    check(status(raw.receive()) == 180, "it was not told to wait")
    refuse(p, raw, leg)
    p.silent()  # not over before the ACK
    p.kill()
    q, leg = successor(b, p, "invited")
    while raw.receive(0.2):
        pass
    q.tell(f"refuse {leg}")
    refusal = raw.final()
    check(status(refusal) == 486, f"not refused again, but {refusal}")
    check(to_tag(refusal) == last_state(b, p)["local_tag"], "To tag")
    q.expect("^refuse rc=0")
    q.silent()
    raw.send(raw.request("ACK", uri=f"sip:ring@{LOCAL}", call_id="l1", branch="z9hG4bKl1", to_tag=to_tag(refusal)))
    q.expect("^GONE")
    check(raw.receive(1.0) is None, "told again after the ACK")


@case
def refusal_is_lost(b):
    def refuse(p, raw, leg):
        p.tell(f"refuse {leg}")
        p.wait("^refuse rc=0")
    _refusal_is_lost(b, refuse)


@case
def refusal_of_a_cancelled_call_is_lost(b):
    def cancel(p, raw, leg):
        raw.send(raw.request("CANCEL", uri=f"sip:ring@{LOCAL}", call_id="l1", branch="z9hG4bKl1"))
        p.wait("^CANCELLED")
    _refusal_is_lost(b, cancel)


@case
def invite_sent_again_is_absorbed(b):
    p = mortal(b, "before:ring")
    raw = b.raw(p)
    invite = raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id="a1", via=f"{LOCAL}:9;rport")
    raw.send(invite)
    # After a 100 the caller would wait for the dead: it comes when the leg is kept.
    check(raw.receive(0.5) is None, "the first said something before it died")
    q, leg = successor(b, p, "invited")
    check(raw.receive(0.5) is None, "the restored leg said something by itself")
    raw.send(invite)
    q.silent()
    q.tell(f"answer {leg}")
    answer = raw.final()
    check(status(answer) == 200, f"no answer to where the INVITE came from, but {answer}")
    check(to_tag(answer) == last_state(b, p)["local_tag"], "To tag")
    raw.send(raw.request("ACK", call_id="a1", to_tag=to_tag(answer)))
    q.expect("^answer done", "^ACKED")


def _between_200_and_ack(b, die):
    p = mortal(b, die)
    far = b.sipp(s.invite(), s.answered(), s.ack(), pause(2500), s.bye(), remote=p.port)
    q, leg = successor(b, p, "invited")
    q.tell(f"answer {leg}")
    q.expect("^answer done", "^ACKED", "^ENDED", "^GONE")
    answered_once(far.finish())


@case
def before_the_200_left(b):
    _between_200_and_ack(b, "before:answer")


@case
def after_the_200_left(b):
    """The ACK went to a dead process; SIPp takes the second 200 for a retransmission, so it is the same."""
    _between_200_and_ack(b, "after:answer")


@case
def unacknowledged(b):
    """Our 200 comes again until it is acknowledged, and the BYE of the far end counts before that too."""
    p = mortal(b)
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="u1"))
    first = raw.final()
    p.wait("^INVITE leg=(\\d+)")
    p.tell("state 1")
    p.wait('^state .*"state":"unacknowledged"')
    p.tell("bye 1")  # waits for the ACK; what is kept before it is the state that counts
    p.wait("^bye rc=0")
    p.kill()
    q, leg = successor(b, p, "unacknowledged")
    check(raw.receive(0.3) is None, "the restored leg said something by itself")
    q.tell(f"answer {leg}")
    again = [raw.final(), raw.final()]
    check(again == [first, first], f"the 200 differs:\n{first}\n{again}")
    raw.send(raw.request("ACK", call_id="u1", to_tag=to_tag(first)))
    q.expect("^answer done", "^ACKED")
    check(raw.receive(1.5) is None, "more after the ACK")
    raw.send(raw.request("BYE", call_id="u1", to_tag=to_tag(first), cseq=2))
    check(status(raw.final()) == 200, "BYE")
    q.expect("^ENDED", "^GONE")


@case
def unacknowledged_twice(b):
    """The second process dies before it could do anything."""
    p = mortal(b)
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="x1"))
    first = raw.final()
    p.tell("bye 1")
    p.wait("^bye rc=0")
    p.kill()
    q, leg = successor(b, p, "unacknowledged", die="before:answer")
    q.tell(f"answer {leg}")
    q, leg = successor(b, q, "unacknowledged")
    q.tell(f"answer {leg}")
    check(raw.final() == first, "the 200 differs")
    raw.send(raw.request("ACK", call_id="x1", to_tag=to_tag(first)))
    q.expect("^answer done", "^ACKED")


@case
def unacknowledged_call_is_given_up(b):
    p = mortal(b)
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="v1"))
    check(status(raw.final()) == 200, "200")
    p.tell("bye 1")
    p.wait("^bye rc=0")
    p.kill()
    q, leg = successor(b, p, "unacknowledged")
    q.tell(f"bye {leg}")
    said = [raw.receive(), raw.receive()]
    bye = next((m for m in said if m and m.startswith("BYE")), None)
    check(bye, f"no BYE: {said}")
    raw.send(raw.answer_to(bye, "200 OK"))
    q.expect("^bye rc=0", "^GONE")


def established_in(b, *steps, number="200", **settings):
    p = mortal(b, **settings)
    far = b.sipp(s.invite(headers=_ROUTE), s.answered(), s.ack(), *steps, remote=p.port, number=number)
    p.wait("^ACKED")
    p.tell("reinvite 0")  # the event's handler is through, with all that it kept
    p.wait("^reinvite")
    p.kill()
    return p, far


@case
def established_call_is_ended_by_the_caller(b):
    p, far = established_in(b, pause(), s.bye())
    q, _ = successor(b, p, "up")
    q.expect("^ENDED", "^GONE")
    far.finish()


@case
def established_call_is_ended_by_the_gateway(b):
    p, far = established_in(b, s.receive("BYE", header=_ROUTED), s.respond("200 OK"))
    q, leg = successor(b, p, "up")
    q.tell(f"bye {leg}")
    q.expect("^bye rc=0", "^GONE")
    said = far.finish()
    check("\nBYE sip:far@127.0.0.1" in said, "BYE has not the Contact as its URI")


@case
def established_call_is_held_by_the_caller(b):
    p, far = established_in(b, pause(), s.reinvite(2, "sendonly"), s.bye(3))
    q, _ = successor(b, p, "up")
    q.expect("^REINVITE .*sdp=\\d+/1/0", "^ACKED", "^ENDED", "^GONE")
    versions = [int(v) for v in re.findall(r"^o=- 4711 (\d+)", far.finish(), re.M)]
    check(versions == sorted(set(versions)) and len(versions) == 2, f"versions of o=: {versions}")


@case
def established_call_is_held_by_the_gateway(b):
    p, far = established_in(b, s.receive("INVITE", header=_ROUTED), s.respond("200 OK", s.sdp("recvonly"), retrans=True),
                            s.receive("ACK", header=_ROUTED), s.bye(2))
    q, leg = successor(b, p, "up")
    q.tell(f"reinvite {leg}")
    q.expect("^reinvite rc=0", "^REINVITE_DONE .*status=200", "^ENDED", "^GONE")
    versions = [int(v) for v in re.findall(r"^o=- 4711 (\d+)", far.finish(), re.M)]
    check(len(versions) == 2 and versions[0] < versions[1], f"versions of o=: {versions}")


def reinvited_raw(b, die, to="mute"):
    """A dialog in which the far end's re-INVITE waits when the process dies."""
    p = mortal(b, die)
    raw = b.raw(p)
    raw.send(raw.request(uri=f"sip:{to}@{LOCAL}", body=SDP, call_id="w1"))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="w1", to_tag=tag))
    p.wait("^ACKED")
    raw.send(raw.request(call_id="w1", to_tag=tag, cseq=2, body=SDP))
    check(status(raw.receive()) == 100, "no 100 of the first")
    return p, raw, tag


@case
def waiting_reinvite_is_told_again(b):
    """It was answered 100 and would not come again."""
    p, raw, tag = reinvited_raw(b, "before:reinvited")
    q, leg = successor(b, p, "up")
    q.expect("^REINVITE .*sdp=")
    q.tell(f"answer {leg}")
    q.expect("^answer done")
    check(status(raw.final()) == 200, "no answer")
    raw.send(raw.request("ACK", call_id="w1", to_tag=tag, cseq=2))
    q.expect("^ACKED")
    raw.send(raw.request("BYE", call_id="w1", to_tag=tag, cseq=3))
    check(status(raw.final()) == 200, "BYE")
    q.expect("^ENDED", "^GONE")


@case
def waiting_reinvite_is_cancelled(b):
    """The session stays as it was."""
    p, raw, tag = reinvited_raw(b, "before:reinvited")
    q, _ = successor(b, p, "up")
    q.expect("^REINVITE")
    raw.send(raw.request("CANCEL", call_id="w1", to_tag=tag, cseq=2, branch="z9hG4bKw12INVITE"))
    check({status(raw.final()), status(raw.final())} == {200, 487}, "200 and 487")
    q.silent()
    raw.send(raw.request("ACK", call_id="w1", to_tag=tag, cseq=2, branch="z9hG4bKw12INVITE"))
    raw.send(raw.request("BYE", call_id="w1", to_tag=tag, cseq=3))
    q.expect("^ENDED", "^GONE")


@case
def out_of_order_request(b):
    """The far end's CSeq is known on."""
    p = mortal(b, "before:acked")
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="o1", cseq=10))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="o1", to_tag=tag, cseq=10))
    q, _ = successor(b, p, "up")
    raw.send(raw.request("OPTIONS", call_id="o1", to_tag=tag, cseq=9))
    check(status(raw.final()) == 500, "a lower CSeq")
    raw.send(raw.request("BYE", call_id="o1", to_tag=tag, cseq=11))
    check(status(raw.final()) == 200, "BYE")
    q.expect("^ENDED", "^GONE")


@case
def acknowledgement_that_nobody_heard_of(b):
    """The ACK came, the process died before its handler knew: answering again says so."""
    p = mortal(b, "before:acked")
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="k1"))
    raw.send(raw.request("ACK", call_id="k1", to_tag=to_tag(raw.final())))
    q, leg = successor(b, p, "up")
    q.tell(f"answer {leg}")
    q.expect("^answer done", "^ACKED")
    check(raw.receive(0.5) is None, "something was sent")


@case
def restored_calls_count(b):
    p = mortal(b, max_calls=2)
    raw = b.raw(p)
    for number in range(2):
        raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP, call_id=f"n{number}", branch=f"z9hG4bKn{number}"))
        p.wait("^INVITE")
    p.tell("reinvite 0")
    p.wait("^reinvite")
    p.kill()
    q, _ = successor(b, p, "invited", max_calls=2)
    while raw.receive(0.2):
        pass
    raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP))
    check(status(raw.final()) == 503, "a third call is let in")
    raw.send(raw.request("CANCEL", uri=f"sip:ring@{LOCAL}", call_id="n1", branch="z9hG4bKn1"))
    q.wait("^CANCELLED")
    raw.send(raw.request(uri=f"sip:ring@{LOCAL}", body=SDP))
    q.wait("^INVITE leg=3")


# --- calls that we make ----------------------------------------------------------------------------------


def calling(b, die, *steps, word="call", more=""):
    p = mortal(b, die)
    far = b.sipp(*steps)
    place(p, far, word=word, more=more)
    return p, far


def hang_up(q, leg, far):
    q.tell(f"bye {leg}")
    q.expect("^bye rc=0", "^GONE")
    return far.finish()


@case
def before_the_invite_left(b):
    p, far = calling(b, "before:send", s.taken(), s.ring(), s.answer(), s.acked(), s.ended())
    q, leg = successor(b, p, "prepared")
    q.tell(f"send {leg}")
    q.expect("^send rc=0", "^PROGRESS .*status=180", "^ANSWERED .*status=200 .*sdp=")
    hang_up(q, leg, far)


@case
def after_the_invite_left(b):
    """SIPp takes the INVITE that comes again for a retransmission only if it is the same to the last byte."""
    p, far = calling(b, "after:send", s.taken(), s.ring(), pause(), s.answer(), s.acked(), s.ended())
    q, leg = successor(b, p, "prepared")
    q.tell(f"send {leg}")
    q.expect("^send rc=0", "^PROGRESS .*status=180", "^ANSWERED .*status=200 .*sdp=")
    said = hang_up(q, leg, far)
    invites = re.findall(r"^INVITE .*?(?=^---|\Z)", said, re.M | re.S)
    check(len(invites) >= 2 and len({i.strip() for i in invites}) == 1, f"{len(invites)} INVITEs that differ:\n"
          + "\n".join(invites))


@case
def after_the_180(b):
    p, far = calling(b, "before:progress", s.taken(), s.ring(), pause(), s.answer(), s.acked(), s.callee_bye())
    q, leg = successor(b, p, "calling")
    q.tell(f"send {leg}")
    q.expect("^send rc=0", "^PROGRESS .*status=180", "^ANSWERED .*status=200 .*sdp=", "^ENDED", "^GONE")
    far.finish()


@case
def after_the_180_refused(b):
    p, far = calling(b, "before:progress", s.taken(), s.ring(), pause(), s.refuse("486 Busy Here"))
    q, leg = successor(b, p, "calling")
    q.tell(f"send {leg}")
    q.expect("^send rc=0", "^PROGRESS .*status=180", "^FAILED .*status=486", "^GONE")
    far.finish()


@case
def challenged_call(b):
    """The credentials go with the leg, before and after the challenge."""
    digest = '\nWWW-Authenticate: Digest realm="carrier", nonce="n1", qop="auth"'
    challenge = s.respond("401 Unauthorized", tag=";tag=c", headers=digest) + s.receive("ACK")
    named = s.receive("INVITE", header=("Authorization", 'username="user", realm="carrier"'))
    p, far = calling(b, "before:send", s.taken(), challenge, named, s.ring(), pause(), s.answer(),
                     s.receive("ACK", header=("Authorization", 'realm="carrier"')), s.ended(), more=" user secret")
    q, leg = successor(b, p, "prepared", die="before:progress")
    q.tell(f"send {leg}")
    q.wait("^PROGRESS")
    q, leg = successor(b, q, "calling")
    q.tell(f"send {leg}")
    q.expect("^send rc=0", "^PROGRESS", "^ANSWERED")
    said = hang_up(q, leg, far)
    check(len(re.findall("^INVITE .*\n(?:.+\n)*CSeq: (\\d+) INVITE", said, re.M)) >= 3, "the INVITE did not come again")
    check(len(set(re.findall('cnonce="([^"]*)"', said))) == 1, "credentials made anew")


@case
def answer_comes_before_send(b):
    """The 200 is taken up without repeating the INVITE."""
    p, far = calling(b, "before:progress", s.taken(), s.ring(), pause(700), s.answer(), s.acked(), s.ended())
    q, leg = successor(b, p, "calling")
    q.expect("^ANSWERED .*status=200 .*sdp=")
    q.tell(f"send {leg}")
    q.expect("^send rc=-114")
    said = hang_up(q, leg, far)
    check(len(re.findall("^INVITE ", said, re.M)) == 1, "the INVITE came again")


@case
def answer_of_a_challenged_call_comes_before_send(b):
    """It answers an INVITE that the kept state doesn't tell of: the second, with credentials."""
    p = mortal(b, "after:send")
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    invite = raw.receive()
    q, leg = successor(b, p, "prepared")
    branch = re.search("branch=(z9hG4bK[0-9a-f]+)\\.(\\d+)", invite)
    second = invite.replace(branch.group(), f"branch={branch.group(1)}.{int(branch.group(2)) + 1}")
    second = second.replace(f"CSeq: {branch.group(2)} ", f"CSeq: {int(branch.group(2)) + 1} ")
    raw.send(raw.answer_to(second, "200 OK", "far", SDP))
    ack = raw.receive()
    check(ack and ack.startswith("ACK") and header(ack, "CSeq") == f"{int(branch.group(2)) + 1} ACK", f"{ack}")
    q.expect("^ANSWERED")
    q.tell(f"bye {leg}")
    bye = raw.receive()
    check(int(header(bye, "CSeq").split(" ")[0]) > int(branch.group(2)) + 1, f"CSeq of BYE: {bye}")
    raw.send(raw.answer_to(bye, "200 OK"))
    q.expect("^bye rc=0", "^GONE")


@case
def before_the_ack_left(b):
    p, far = calling(b, "before:ack", s.taken(), s.ring(), s.answer(), s.acked(), s.ended())
    q, leg = successor(b, p, "answered")
    q.tell(f"ack {leg}")
    q.expect("^ack done")
    hang_up(q, leg, far)


@case
def after_the_ack_left(b):
    again = s.receive("ACK", optional=True)
    p, far = calling(b, "after:ack", s.taken(), s.ring(), s.answer(), s.acked(), again, s.ended())
    q, leg = successor(b, p, "answered")
    q.tell(f"ack {leg}")
    q.expect("^ack done")
    hang_up(q, leg, far)


@case
def answer_comes_again(b):
    """ACK when it is wanted, and from then on by itself; BYE to another fork."""
    p = mortal(b, "before:ack")
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    invite = raw.receive()
    answer = raw.answer_to(invite, "200 OK", "far", SDP)
    raw.send(answer)
    q, leg = successor(b, p, "answered")
    raw.send(answer)
    check(raw.receive(0.5) is None, "an ACK that nobody wanted")
    q.tell(f"ack {leg}")
    q.expect("^ack done")
    acks = [raw.receive()]
    for _ in range(2):
        raw.send(answer)
        acks.append(raw.receive())
    check(all((a or "").startswith("ACK") for a in acks), f"{acks}")
    raw.send(raw.answer_to(invite, "200 OK", "other", SDP))
    said = {(raw.receive() or "").split(" ")[0], (raw.receive() or "").split(" ")[0]}
    check(said == {"ACK", "BYE"}, f"to the other fork: {said}")
    while raw.receive(0.2):
        pass
    q.tell(f"reinvite {leg}")
    q.expect("^reinvite rc=0")
    reinvite = raw.receive()
    check(header(reinvite, "To").endswith(";tag=far"), f"{reinvite}")


@case
def answer_comes_again_in_an_established_call(b):
    """The ACK of the dead process was lost."""
    p = mortal(b)
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    answer = raw.answer_to(raw.receive(), "200 OK", "far", SDP)
    raw.send(answer)
    check((raw.receive() or "").startswith("ACK"), "ACK of the first")
    p.wait("^ANSWERED leg=(\\d+)")
    raw.send(raw.request("OPTIONS"))
    raw.final()
    # What is kept before the re-INVITE is the established dialog; the re-INVITE's answer comes afterwards.
    p.tell("die after:reinvite")
    p.tell("reinvite 1")
    reinvite = raw.receive()
    q, leg = successor(b, p, "up")
    for _ in range(3):
        raw.send(answer)
        check((raw.receive() or "").startswith("ACK"), "no ACK to the first INVITE's answer")
    raw.send(raw.answer_to(reinvite, "200 OK", body=SDP))
    ack = raw.receive()
    check(ack and header(ack, "CSeq") == header(reinvite, "CSeq").replace("INVITE", "ACK"), f"no ACK: {ack}")
    q.silent()
    q.tell(f"bye {leg}")
    bye = raw.receive()
    check(int(header(bye, "CSeq").split()[0]) > int(header(reinvite, "CSeq").split()[0]), "CSeq of the BYE")
    raw.send(raw.answer_to(bye, "200 OK"))
    q.expect("^bye rc=0", "^GONE")


@case
def late_offer_is_answered_again(b):
    """Each ACK to the 200 of a late offer has the answer."""
    p = mortal(b, "after:ack")
    raw = b.raw(p)
    p.tell(f"late sip:bob@{LOCAL}:{raw.port}")
    answer = raw.answer_to(raw.receive(), "200 OK", "far", SDP)
    raw.send(answer)
    first = raw.receive()
    check("m=audio 20000 RTP/AVP 0 101" in first, f"{first}")
    q, leg = successor(b, p, "answered")
    q.tell(f"ack {leg}")
    q.expect("^ack done")
    again = raw.receive()
    check(again and again.partition("\n\n")[2] == first.partition("\n\n")[2], f"another answer: {again}")
    q.tell("die before:reinvite")
    q.tell(f"reinvite {leg}")
    q, leg = successor(b, q, "up")
    raw.send(answer)
    again = raw.receive()
    check(again and again.partition("\n\n")[2] == first.partition("\n\n")[2], f"another answer: {again}")


def established_out(b, *steps):
    p = mortal(b)
    far = b.sipp(s.taken(), s.respond("200 OK", s.sdp(types="0 101"), tag=s._TAG, headers=_ROUTE),
                 s.receive("ACK", header=_ROUTED), *steps)
    place(p, far)
    p.wait("^ANSWERED")
    p.tell("die before:reinvite")
    p.tell("reinvite 1")
    return p, far


@case
def established_call_of_ours_is_ended_by_the_callee(b):
    p, far = established_out(b, pause(), s.callee_bye())
    q, _ = successor(b, p, "up")
    q.expect("^ENDED", "^GONE")
    far.finish()


@case
def established_call_of_ours_is_ended_by_the_gateway(b):
    p, far = established_out(b, s.receive("BYE", header=_ROUTED), s.respond("200 OK"))
    q, leg = successor(b, p, "up")
    said = hang_up(q, leg, far)
    check("\nBYE sip:far@127.0.0.1" in said, "BYE has not the Contact as its URI")


@case
def established_call_of_ours_is_held_by_the_callee(b):
    p, far = established_out(b, pause(), s.callee_request("INVITE", 1, s.sdp("sendonly")),
                             s.receive("100", optional=True), s.receive("200", rrs=True), s.callee_request("ACK", 1),
                             s.callee_bye(2))
    q, _ = successor(b, p, "up")
    q.expect("^REINVITE .*sdp=\\d+/1/0", "^ACKED", "^ENDED", "^GONE")
    far.finish()


@case
def established_call_of_ours_is_held_by_the_gateway(b):
    p, far = established_out(b, s.receive("INVITE", header=_ROUTED), s.answer(tag="", direction="recvonly"), s.acked(),
                             s.ended())
    q, leg = successor(b, p, "up")
    q.tell(f"reinvite {leg}")
    q.expect("^reinvite rc=0", "^REINVITE_DONE .*status=200 .*sdp=")
    hang_up(q, leg, far)


@case
def dialog_of_odd_headers(b):
    """Several routes, in order; a folded From with bytes that are no UTF-8; no port but rport in the Via."""
    p = mortal(b, "before:acked")
    raw = b.raw(p)
    routes = [f"<sip:{LOCAL}:{raw.port};lr>", "<sip:192.0.2.1;lr;x=1>", "<sip:192.0.2.2;lr>"]
    more = f"Record-Route: {routes[0]}, {routes[1]}\nRecord-Route: {routes[2]}"
    invite = raw.request(body=SDP, call_id="d1", headers=more, via=f"{LOCAL};rport")
    invite = invite.replace("From: <", 'From: "Z\udcfcrich,\n\t\\"HB\\""\n <').replace("\n", "\r\n")
    raw.send(invite.encode(errors="surrogateescape"))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="d1", to_tag=tag))
    q, leg = successor(b, p, "up")
    q.tell(f"bye {leg}")
    bye = raw.receive()
    check(bye and bye.startswith(f"BYE sip:raw@{LOCAL}:{raw.port} "), f"{bye}")
    sent = [r.strip() for line in re.findall("^Route: (.*)$", bye, re.M) for r in line.split(",")]
    check(sent == routes, f"{sent}")
    check(header(bye, "To").endswith(";tag=f") and to_tag(bye) == "f", f"{header(bye, 'To')}")
    raw.send(raw.answer_to(bye, "200 OK"))
    q.expect("^bye rc=0", "^GONE")


def _tcp_message(connection):
    connection.settimeout(5)
    return connection.recv(65536).decode().replace("\r", "")


def _tcp_answer(connection, request, here, tag="", body=""):
    kept_lines = re.findall("^(?:Via|From|To|Call-ID|CSeq):.*$", request, re.M)
    lines = ["SIP/2.0 200 OK"] + [k + (tag if k.startswith("To:") else "") for k in kept_lines]
    lines.append(f"Contact: <sip:bob@{here};transport=tcp>")
    data = body.replace("\n", "\r\n")
    lines += ["Content-Type: application/sdp"] if body else []
    connection.sendall("\r\n".join(lines + [f"Content-Length: {len(data)}", "", data]).encode())


@case
def established_over_tcp(b):
    """The connection died with the process; the next request opens another."""
    p = mortal(b)
    with socket.create_server((LOCAL, 0)) as listener:
        listener.settimeout(5)
        here = f"{LOCAL}:{listener.getsockname()[1]}"
        p.tell(f"call sip:bob@{here};transport=tcp")
        with listener.accept()[0] as first:
            invite = _tcp_message(first)
            _tcp_answer(first, invite, here, ";tag=far", SDP)
            check(_tcp_message(first).startswith("ACK"), "no ACK")
            p.wait("^ANSWERED")
            p.tell("die before:reinvite")
            p.tell("reinvite 1")
            q, leg = successor(b, p, "up")
        q.tell(f"bye {leg}")
        with listener.accept()[0] as second:
            bye = _tcp_message(second)
            check(bye.startswith("BYE") and header(bye, "Call-ID") == header(invite, "Call-ID"), f"{bye}")
            _tcp_answer(second, bye, here)
            q.expect("^bye rc=0", "^GONE")


@case
def restored_twice(b):
    """The second is none: there can't be two of one dialog. Neither are states that are damaged."""
    p = mortal(b, "before:acked")
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="t1"))
    raw.send(raw.request("ACK", call_id="t1", to_tag=to_tag(raw.final())))
    q, _ = successor(b, p, "up")
    q.tell(f"restore {kept(b, p)}")
    q.expect("^restore leg=1 rc=-22", "^restoration done")


# --- calls that end ---------------------------------------------------------------------------------------


def _cancelled(b, die):
    """What a far end does that gets its INVITE again when it has refused it: says so again."""
    refusal = s.send("SIP/2.0 487 Request Terminated\nVia:[$via]\nFrom:[$there]\nTo:[$here]" + s._TAG
                     + "\nCall-ID: [call_id]\nCSeq: [$number] INVITE", retrans=True)
    p = mortal(b, die)
    far = b.sipp(s.taken(), s.ring(), s.receive("CANCEL"), s.respond("200 OK"), refusal,
                 s.receive("INVITE", optional=True), s.receive("ACK"))
    leg = place(p, far).group(1)
    p.expect("^PROGRESS")
    p.tell(f"cancel {leg}")
    return p, far


@case
def before_the_cancel_left(b):
    p, far = _cancelled(b, "before:cancel")
    q, leg = successor(b, p, "calling")
    q.tell(f"cancel {leg}")
    q.expect("^cancel rc=0")
    q.wait("^FAILED (?!.*local).*status=487")
    q.expect("^GONE")
    far.finish()


@case
def after_the_cancel_left(b):
    p, far = _cancelled(b, "after:cancel")
    q, leg = successor(b, p, "calling")
    q.tell(f"send {leg}")
    q.tell(f"cancel {leg}")
    q.expect("^send rc=0", "^cancel rc=0")
    q.wait("^FAILED (?!.*local).*status=487")
    q.expect("^GONE")
    far.finish()


@case
def answer_that_crosses_the_cancel(b):
    """It was kept that the call is given up: the 200 gets ACK and BYE, whenever it comes."""
    p = mortal(b)
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    invite = raw.receive()
    raw.send(raw.answer_to(invite, "180 Ringing", "far"))
    p.wait("^PROGRESS")
    p.tell("cancel 1")
    check((raw.receive() or "").startswith("CANCEL"), "CANCEL")
    p.tell("die before:cancel")
    p.tell("cancel 1")
    q, leg = successor(b, p, "calling")
    raw.send(raw.answer_to(invite, "200 OK", "far", SDP))
    said = [raw.receive(), raw.receive()]
    check([(m or "").split(" ")[0] for m in said] == ["ACK", "BYE"], f"{said}")
    raw.send(raw.answer_to(said[1], "200 OK"))
    q.expect("^FAILED .*crossed", "^GONE")


@case
def after_the_bye_left(b):
    """Whatever the far end says to a second BYE, the leg is gone."""
    p, far = calling(b, "after:bye", s.taken(), s.answer(), s.acked(), s.ended())
    p.wait("^ANSWERED")
    p.tell("bye 1")
    far.finish()
    q, leg = successor(b, p, "up")
    q.tell(f"bye {leg}")
    q.expect("^bye rc=0", "^GONE", timeout=40)


@case
def bye_is_repeated(b):
    """Kept while our BYE was under way: the same BYE again."""
    p = mortal(b)
    raw = b.raw(p)
    p.tell(f"call sip:bob@{LOCAL}:{raw.port}")
    raw.send(raw.answer_to(raw.receive(), "200 OK", "far", SDP))
    check((raw.receive() or "").startswith("ACK"), "ACK")
    p.wait("^ANSWERED")
    p.tell("bye 1")
    bye = raw.receive()
    p.tell("die before:reinvite")
    p.tell("reinvite 1")
    q, leg = successor(b, p, "ending")
    while raw.receive(0.2):
        pass
    q.tell(f"bye {leg}")
    again = raw.receive()
    check(again == bye, f"another BYE:\n{bye}\n{again}")
    raw.send(raw.answer_to(again, "200 OK"))
    q.expect("^bye rc=0", "^GONE")


@case
def both_hang_up(b):
    p = mortal(b)
    raw = b.raw(p)
    raw.send(raw.request(body=SDP, call_id="b1"))
    tag = to_tag(raw.final())
    raw.send(raw.request("ACK", call_id="b1", to_tag=tag))
    p.wait("^ACKED")
    p.tell("bye 1")
    p.wait("^bye rc=0")
    p.tell("die before:reinvite")
    p.tell("reinvite 1")
    q, _ = successor(b, p, "ending")
    while raw.receive(0.2):
        pass
    raw.send(raw.request("BYE", call_id="b1", to_tag=tag, cseq=2))
    check(status(raw.final()) == 200, "BYE")
    q.expect("^ENDED", "^GONE")


@case
def callee_that_is_no_trunk_is_still_let_in(b):
    p = mortal(b, "before:ack")
    raw = b.raw(p)
    with socket.socket() as far:
        far.bind((STRANGER, 0))
        far.listen()
        far.settimeout(5)
        p.tell(f"call sip:bob@{STRANGER}:{far.getsockname()[1]};transport=tcp")
        p.wait("^prepared")
        with far.accept()[0] as called:
            answer = raw.answer_to(called.recv(65536).decode().replace("\r", ""), "200 OK", tag="far", body=SDP)
            called.send(answer.replace("\n", "\r\n").encode())
            p.killed()
        check(connects(STRANGER, successor(b, p, "answered")[0].port), "its connection is not let in")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("--only", default="*")
    parser.add_argument("--jobs", type=int, default=6)
    options = parser.parse_args()
    cases = [c for c in _CASES if fnmatch.fnmatch(c.__name__, options.only)]
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
