"""SIPp scenarios, put together from steps. Each step is a piece of SIPp's XML; `write` makes a file of them.

A far end that calls:   invite() answered() ack() report("answered") wait() bye()
A far end that is called: taken() respond(180) answer() acked() report("answered") ended()

Steps that read a message keep what later steps need: the far end's media address in [$address] and [$port], and
for one that was called, both ends of its dialog."""

import re
import textwrap

_CALLER = '"Caller" <sip:[caller]@[local_ip]:[local_port]>;tag=[pid]c[call_number]'
_CALLED = "<sip:[service]@[remote_ip]:[remote_port]>"
_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]"
# The INVITE's own branch is also that of its CANCEL and of the ACK to a refusal (RFC 3261 9.1, 17.1.1.3).
_INVITE_VIA = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-invite"
_CONTACT = "Contact: <sip:far@[local_ip]:[local_port];transport=[transport]>"
_ECHO = "[last_Via:]\n[last_Record-Route:]\n[last_From:]\n{to}\n[last_Call-ID:]\n[last_CSeq:]"
_TAG = ";tag=[pid]e[call_number]"

_READ_SDP = """
<ereg regexp="c=IN IP[46] ([0-9a-fA-F.:]+)" search_in="msg" check_it="true" assign_to="ignored,address"/>
<ereg regexp="m=audio ([0-9]+) RTP/AVP ([0-9 ]+)" search_in="msg" check_it="true" assign_to="ignored,port,types"/>
<ereg regexp="a=(sendrecv|sendonly|recvonly|inactive)" search_in="msg" assign_to="ignored,direction"/>"""


def write(path, *steps):
    body = "\n".join(steps)
    used = ",".join(sorted({name for names in re.findall('assign_to="([^"]+)"', body) for name in names.split(",")}))
    reference = f'\n<Reference variables="{used}"/>' if "<ereg" in body else ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="steps">\n{body}{reference}\n</scenario>\n')
    return path


def sdp(direction="sendrecv", types="0 8 101", version=1, address="[media_ip]", port="[media_port]"):
    maps = {"0": "PCMU/8000", "8": "PCMA/8000", "101": "telephone-event/8000"}
    own = "IP[media_ip_type] [media_ip]"
    if address != "[media_ip]":
        at = f"IP6 {address}" if ":" in address else f"IP4 {address}"
    else:
        at = own
    lines = ["v=0", f"o=far 1 {version} IN {own}", "s=-", f"c=IN {at}", "t=0 0",
             f"m=audio {port} RTP/AVP {types}"]
    lines += [f"a=rtpmap:{kind} {maps[kind]}" for kind in types.split() if kind in maps]
    lines += ["a=fmtp:101 0-15"] if "101" in types.split() else []
    return "\n".join(lines + ["a=ptime:20", f"a={direction}"]) + "\n"


def send(text, body="", retrans=False):
    head = textwrap.dedent(text).strip("\n")
    if body:
        head += "\nContent-Type: application/sdp"
    return (f'<send{" retrans=" + chr(34) + "500" + chr(34) if retrans else ""}><![CDATA[\n{head}\n'
            f"Content-Length: [len]\n\n{body}\n]]></send>")


def receive(what, optional=False, actions="", rrs=False, header=None):
    kind = "response" if what.isdigit() else "request"
    more = ' optional="true"' if optional else ""
    more += ' rrs="true"' if rrs else ""
    more += ' crlf="true"' if not optional else ""
    if header:
        name, pattern = header
        actions += (f'\n<ereg regexp="{pattern}" search_in="hdr" header="{name}:" check_it="true" '
                    'assign_to="ignored"/>')
    inner = f"<action>{actions}</action>" if actions else ""
    return f'<recv {kind}="{what}"{more}>{inner}</recv>'


# --- what a test is told and tells ------------------------------------------------------------------


def report(event, media=False):
    fields = "\nMedia: [$address]:[$port]\nTypes: [$types]\nDirection: [$direction]" if media else ""
    return f"<sendCmd><![CDATA[\nCall-ID: [call_id]\nEvent: {event}{fields}\n\n]]></sendCmd>"


def wait():
    return "<recvCmd/>"


# --- a far end that calls ------------------------------------------------------------------------------


def invite(body=None, headers=""):
    return send(f"""
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_INVITE_VIA}
From: {_CALLER}
To: {_CALLED}
Call-ID: [call_id]
CSeq: 1 INVITE
{_CONTACT}
Max-Forwards: 70
X-Order: 42{headers}""", sdp() if body is None else body, retrans=True)


def provisional():
    return "\n".join(receive(status, optional=True) for status in ("100", "180", "183"))


def ringing():
    return receive("100", optional=True) + "\n" + receive("180")


def answered():
    return provisional() + "\n" + receive("200", rrs=True, actions=_READ_SDP + """
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="remote"/>""")


def refused(status):
    """A final answer that isn't 2xx, and its ACK. A 503 says when to try again."""
    header = ("Retry-After", "[0-9]+") if status == "503" else None
    return provisional() + "\n" + receive(status, header=header) + "\n" + send(f"""
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_INVITE_VIA}
From: {_CALLER}
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70""")


def _in_dialog(method, sequence, body="", retrans=True, headers="", kept=False):
    """kept: to the tag of the 200 to our INVITE, whatever tags came since."""
    to = "To:[$remote]" if kept else f"To: {_CALLED}[peer_tag_param]"
    return send(f"""
{method} [next_url] SIP/2.0
{_VIA}
[routes]
From: {_CALLER}
{to}
Call-ID: [call_id]
CSeq: {sequence} {method}
{_CONTACT}
Max-Forwards: 70{headers}""", body, retrans=retrans and method != "ACK")


def ack(sequence=1, kept=False):
    return _in_dialog("ACK", sequence, kept=kept)


def bye(sequence=2, kept=False):
    return _in_dialog("BYE", sequence, kept=kept) + "\n" + receive("200")


def cancel():
    return send(f"""
CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_INVITE_VIA}
From: {_CALLER}
To: {_CALLED}
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70""", retrans=True)


def cancel_late():
    """A CANCEL that comes after the 200: answered 200, or 481 by one that has forgotten the transaction."""
    return (cancel() + '\n<recv response="481" optional="true" next="cancelled"/>\n' + receive("200")
            + '\n<label id="cancelled"/>')


def reinvite(sequence, direction, types="0 101"):
    """Offers anew, reads the answer and acknowledges it."""
    return "\n".join((_in_dialog("INVITE", sequence, sdp(direction, types, version=sequence)),
                      receive("100", optional=True), receive("200", rrs=True, actions=_READ_SDP), ack(sequence)))


def ended():
    """The far end's BYE, and its answer."""
    return receive("BYE") + "\n" + respond("200 OK")


# --- a far end that is called ----------------------------------------------------------------------------


def taken():
    """An INVITE comes in."""
    return receive("INVITE", rrs=True, actions=_READ_SDP + """
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="there"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="here"/>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="number"/>""")


def respond(status, body="", tag="", sequence="[last_CSeq:]", retrans=False, headers=""):
    """tag: a To-tag to add, where the request had none."""
    to = f"[last_To:]{tag}"
    contact = f"\n{_CONTACT}" if body or status.startswith("1") else ""
    text = f"SIP/2.0 {status}\n" + _ECHO.format(to=to).replace("[last_CSeq:]", sequence) + contact + headers
    return send(text, body, retrans=retrans)


def ring():
    return respond("180 Ringing", tag=_TAG)


def answer(tag=_TAG, direction="sendrecv", types="0 101", sequence="[last_CSeq:]", retrans=True):
    return respond("200 OK", sdp(direction, types), tag=tag, sequence=sequence, retrans=retrans)


def answer_as_other(tag):
    """One more 200 to the INVITE, from another far end that it was forked to: another To-tag."""
    return send(f"""
SIP/2.0 200 OK
Via:[$via]
From:[$there]
To:[$here]{tag}
Call-ID: [call_id]
CSeq: [$number] INVITE
{_CONTACT}""", sdp(types="0 101"))


def refuse(status):
    return respond(status, tag=_TAG, retrans=True) + "\n" + receive("ACK")


def acked():
    return receive("ACK")


def callee_request(method, sequence, body=""):
    return send(f"""
{method} [next_url] SIP/2.0
{_VIA}
[routes]
From:[$here]{_TAG}
To:[$there]
Call-ID: [call_id]
CSeq: {sequence} {method}
{_CONTACT}
Max-Forwards: 70""", body, retrans=method != "ACK")


def callee_bye(sequence=1):
    return callee_request("BYE", sequence) + "\n" + receive("200")
