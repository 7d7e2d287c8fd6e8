"""SIP of many calls at one far end (RFC 3261, UDP): places calls, answers them, hangs up, and knows to the call
how each went. Requests and 2xx are repeated as 17.1 and 13.3.1.4 say, so a gateway that is away for a moment
loses nothing. RTP is none of its business (load.py)."""

import heapq
import re
import select
import socket
import threading
import time

from bed import network
from bed.process import Failure

SIP_PORT = 5060
T1, T2, GIVE_UP = 0.5, 4.0, 32.0
PATIENCE = 40.0  # a call out that rings so long is given up
ANSWER, BUSY, RING = "answer", "busy", "ring"  # what a call in is met with
_MEDIA = re.compile(r"^c=IN IP4 ([0-9.]+).*?^m=audio (\d+) ", re.S | re.M)


class Call:
    """state: "trying", "answered" (the ACK is through), "ended". status: of the INVITE, as far as it is known.
    end: "here", "there", "refused", "silence" (the far end did not answer for 32 s)."""

    def __init__(self, call_id, index, outgoing, media_port):
        self.id, self.index, self.outgoing, self.media_port = call_id, index, outgoing, media_port
        self.acks = True        # False: its 200 is never acknowledged
        self.rings = self.cancelled = False
        self.state, self.status, self.end = "trying", None, None
        self.media = None   # where the gateway wants the RTP: (address, port)
        self.here = self.there = self.target = ""
        self.sequence = 1       # of the last request
        self.invited = 1        # of the last INVITE


class _Repeat:
    """One message that is sent until stop(), at rising intervals."""

    def __init__(self, text, over, most):
        self.text, self.over, self.most = text, over, most
        self.wait, self.until = T1, time.monotonic() + GIVE_UP
        self.going = True


class FarEnd:
    def __init__(self, host, media_port, on_change=lambda call: None, answer_after=0.0):
        """on_change: called in the far end's thread whenever a call's state is another one. meets: what a call in to a
        number is met with: ANSWER, BUSY or RING."""
        self.host, self.media_port, self.on_change, self.answer_after = host, media_port, on_change, answer_after
        self.meets = lambda number: ANSWER
        self.calls = {}
        self.late_faults = []  # what no call should ever see
        self._named = f"{host.host}-{time.time_ns():x}"
        self._repeats = {}     # (call id, CSeq, method) -> _Repeat
        self._answers = {}     # (call id, CSeq, method) of a request that came -> the response
        self._timers = []
        self._count = 0
        self._news = threading.Condition(threading.RLock())
        self._socket = host.socket(bind=(host.address, SIP_PORT))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._waking, self._wake = socket.socketpair()
        self._open = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # --- what a bench does ------------------------------------------------------------------------------

    def call(self, number, media_port=None, acks=True):
        with self._news:
            call = self._new(f"{self._named}-{self._count}", True, media_port or self.media_port)
            call.acks = acks
            call.here = f"<sip:4930100@{self.host.address}>;tag=h{call.index}"
            call.there = f"<sip:{number}@{network.GATEWAY}>"
            call.target = f"sip:{number}@{network.GATEWAY}:{SIP_PORT}"
            self._request(call, "INVITE", self._sdp(call), most=GIVE_UP)
            self._at(time.monotonic() + PATIENCE, lambda: self._give_up(call))
        return call

    def hang_up(self, call):
        with self._news:
            if call.state == "answered":
                self._end(call, "here")
                call.sequence += 1
                self._request(call, "BYE")

    def give_up(self, call):
        """Hangs up, or cancels a call out that isn't answered yet; one that nothing is known of yet may not be
        cancelled (RFC 3261 9.1)."""
        with self._news:
            self.hang_up(call)
            if call.state == "trying" and call.outgoing and call.rings and not call.cancelled:
                call.cancelled = True
                self._request(call, "CANCEL")

    def hold(self, call, held):
        """A re-INVITE, unless one is open."""
        with self._news:
            if call.state != "answered" or (call.outgoing and not call.acks) or \
                    self._is_open(call.id, call.invited, "INVITE"):
                return
            call.sequence += 1
            call.invited = call.sequence
            self._request(call, "INVITE", self._sdp(call, "sendonly" if held else "sendrecv"))

    def after(self, seconds, action):
        """Has the far end's thread do it then."""
        with self._news:
            self._at(time.monotonic() + seconds, action)

    def count(self, state, end=None):
        with self._news:
            return sum(call.state == state and end in (None, call.end) for call in self.calls.values())

    def wait(self, what, condition, timeout):
        """condition: of this far end; asked whenever a call has changed."""
        with self._news:
            if not self._news.wait_for(condition, timeout):
                raise Failure(f"{self.host.host}: not within {timeout} s: {what}; {self.summary()}")

    def busy(self):
        """Requests that nobody has answered yet."""
        with self._news:
            return sum(repeat.going for repeat in self._repeats.values())

    def summary(self):
        counts = {}
        for call in list(self.calls.values()):
            key = call.state if call.state != "ended" else f"{call.end} ({call.status})"
            counts[key] = counts.get(key, 0) + 1
        return ", ".join(f"{count} {key}" for key, count in sorted(counts.items())) or "no calls"

    def close(self):
        self._open = False
        self._wake.send(b"x")
        self._thread.join()
        for end in (self._socket, self._waking, self._wake):
            end.close()

    # --- messages out -----------------------------------------------------------------------------------

    def _new(self, call_id, outgoing, media_port):
        call = Call(call_id, self._count, outgoing, media_port)
        self._count += 1
        self.calls[call_id] = call
        return call

    def _sdp(self, call, direction="sendrecv"):
        address = self.host.address
        return (f"v=0\r\no=far 1 {1 + call.sequence} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
                f"m=audio {call.media_port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
                "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na={direction}\r\n")

    def _request(self, call, method, body="", most=T2):
        text = self._request_text(call, method, body)
        self._repeat((call.id, call.sequence, method), text, lambda: self._silence(call), most)

    def _request_text(self, call, method, body="", number=None, refused=False):
        """number: CSeq, unless it is that of the last request. refused: the ACK of a refusal, which belongs to the
        INVITE's transaction (17.1.1.3), as a CANCEL does (9.1)."""
        number = number or call.sequence
        name = call.id.replace("@", "-")  # which a branch may not have: it is a token
        branch = f"z9hG4bK-{name}-{number}-{'INVITE' if refused or method == 'CANCEL' else method}"
        return self._text(f"{method} {call.target} SIP/2.0", [
            ("Via", f"SIP/2.0/UDP {self.host.address}:{SIP_PORT};branch={branch}"), ("Max-Forwards", "70"),
            ("From", call.here), ("To", call.there), ("Call-ID", call.id), ("CSeq", f"{number} {method}"),
            ("Contact", f"<sip:far@{self.host.address}:{SIP_PORT}>")], body)

    def _respond(self, request, status, call=None, body=""):
        headers = [("Via", via) for via in request.all("via")]
        to = request["to"]
        if call and "tag=" not in to:
            to = call.here
        headers += [("From", request["from"]), ("To", to), ("Call-ID", request["call-id"]), ("CSeq", request["cseq"]),
                    ("Contact", f"<sip:far@{self.host.address}:{SIP_PORT}>")]
        text = self._text(f"SIP/2.0 {status}", headers, body)
        self._answers[request.key()] = text
        self._send(text)
        return text

    @staticmethod
    def _text(first, headers, body):
        if body:
            headers = [*headers, ("Content-Type", "application/sdp")]
        return "\r\n".join([first, *(f"{name}: {value}" for name, value in headers),
                            f"Content-Length: {len(body)}", "", body])

    def _send(self, text):
        self._socket.sendto(text.encode(), (network.GATEWAY, SIP_PORT))

    def _repeat(self, key, text, over, most):
        repeat = self._repeats[key] = _Repeat(text, over, most)
        self._send_again(repeat)

    def _send_again(self, repeat):
        now = time.monotonic()
        if not repeat.going:
            return
        if now >= repeat.until:
            repeat.going = False
            repeat.over()
            return
        self._send(repeat.text)
        self._at(min(now + repeat.wait, repeat.until), lambda: self._send_again(repeat))
        repeat.wait = min(2 * repeat.wait, repeat.most)

    def _is_open(self, *key):
        repeat = self._repeats.get(key)
        return bool(repeat and repeat.going)

    def _give_up(self, call):
        """Of a call out that nobody has answered for so long."""
        if call.state != "trying":
            return
        if not call.cancelled:
            self.give_up(call)
            self._at(time.monotonic() + GIVE_UP, lambda: self._give_up(call))
        else:
            self._silence(call)

    def _stop(self, key):
        repeat = self._repeats.get(key)
        if repeat:
            repeat.going = False

    def _silence(self, call):
        """A request, or a 2xx, that nobody answers: the call is over, and that is said (RFC 3261 12.2.1.2,
        13.3.1.4)."""
        if call.state == "answered":
            self.hang_up(call)
        elif call.state == "ended":
            self.late_faults.append(f"{call.id}: no answer")
        else:
            self._end(call, "silence")
            if not call.outgoing:
                call.sequence += 1
                self._request(call, "BYE")

    def _at(self, moment, action):
        heapq.heappush(self._timers, (moment, id(action), action))
        if threading.current_thread() is not self._thread:
            self._wake.send(b"x")

    # --- messages in -------------------------------------------------------------------------------------

    def _run(self):
        while self._open:
            with self._news:
                left = self._timers[0][0] - time.monotonic() if self._timers else 1
            ready, _, _ = select.select([self._socket, self._waking], [], [], max(0, left))
            with self._news:
                if self._waking in ready:
                    self._waking.recv(4096)
                if self._socket in ready:
                    self._read()
                now = time.monotonic()
                while self._timers and self._timers[0][0] <= now:
                    heapq.heappop(self._timers)[2]()
                self._news.notify_all()

    def _read(self):
        try:
            data = self._socket.recv(65535)
        except OSError:
            return
        message = _Message(data.decode("utf-8", "replace"))
        if message.first.startswith("SIP/2.0 "):
            self._response(message)
        elif message.key() in self._answers:
            self._send(self._answers[message.key()])
        else:
            self._came(message)

    def _response(self, message):
        call, status = self.calls.get(message["call-id"]), int(message.first.split()[1])
        if not call:
            return
        _, number, method = message.key()
        if status >= 200 or method == "INVITE":
            self._stop((call.id, number, method))
        call.rings = call.rings or method == "INVITE"
        if method != "INVITE" or status < 200:
            return
        self._invite_ended(call, status, number, message)

    def _invite_ended(self, call, status, number, message):
        there = call.there
        call.there = message["to"]
        if status >= 300:
            self._send(self._request_text(call, "ACK", number=number, refused=True))
            if call.state == "trying":
                call.status = status
                self._end(call, "refused")
                return
            call.there = there
            if status in (408, 481):  # of a re-INVITE: the dialog is gone (12.2.1.2)
                self.hang_up(call)
            return
        call.target = _uri(message["contact"])
        if call.acks:
            self._send(self._request_text(call, "ACK", number=number))
        if call.state == "trying":
            self._answered(call, status, message.body)
            if call.cancelled:  # the answer has crossed it
                self.hang_up(call)

    def _came(self, message):
        method = message.first.split()[0]
        call = self.calls.get(message["call-id"])
        if method == "ACK":
            if call and call.state == "trying":
                self._stop(("answer", call.id))
                self._answered(call, 200, call.offer)
        elif method == "INVITE" and not call:
            self._ring(message)
        elif not call:
            self._respond(message, "481 Call/Transaction Does Not Exist")
        elif method == "BYE":
            self._respond(message, "200 OK", call)
            self._stop(("answer", call.id))
            if call.state != "ended":
                self._end(call, "there")
        elif method == "CANCEL":
            self._respond(message, "200 OK", call)
            if call.state == "trying" and call.status is None:
                call.status = 487
                self._respond(call.invite, "487 Request Terminated", call)
                self._end(call, "there")
        else:
            self._respond(message, "200 OK", call, self._sdp(call) if method == "INVITE" else "")

    def _ring(self, message):
        call = self._new(message["call-id"], False, self.media_port)
        call.invite, call.offer = message, message.body
        call.here, call.there = f"{message['to']};tag=h{call.index}", message["from"]
        call.target = _uri(message["contact"])
        call.sequence = call.invited = 0
        meets = self.meets(re.search(r"sip:([^@>;]*)", message.first).group(1))
        if meets == BUSY:
            self._respond(message, "486 Busy Here", call)
            call.status = 486
            self._end(call, "here")
            return
        self._respond(message, "180 Ringing", call)
        if meets == RING:
            return
        self._at(time.monotonic() + self.answer_after, lambda: self._answer(call))

    def _answer(self, call):
        if call.state != "trying":
            return
        call.status = 200
        text = self._respond(call.invite, "200 OK", call, self._sdp(call))
        self._repeat(("answer", call.id), text, lambda: self._silence(call), T2)

    def _answered(self, call, status, body):
        found = _MEDIA.search(body.replace("\r", ""))
        call.media = (found.group(1), int(found.group(2))) if found else None
        call.status, call.state = status, "answered"
        self.on_change(call)

    def _end(self, call, how):
        call.state, call.end = "ended", how
        self.on_change(call)


class _Message:
    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.first, *lines = head.split("\r\n")
        self._headers = [(name.strip().lower(), value.strip())
                         for name, _, value in (line.partition(":") for line in lines)]

    def all(self, name):
        return [value for header, value in self._headers if header == name]

    def __getitem__(self, name):
        found = self.all(name)
        return found[0] if found else ""

    def key(self):
        number, _, method = self["cseq"].partition(" ")
        return self["call-id"], int(number or 0), method.strip()


def _uri(contact):
    found = re.search(r"<([^>]+)>", contact)
    return found.group(1) if found else contact.partition(";")[0]
