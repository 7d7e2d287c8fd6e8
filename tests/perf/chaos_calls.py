"""The calls of the bench `chaos`: every shape that a call can have, come and gone at random moments."""

import random
import threading

import far_end
from bed import document, prompt, registry
from bed.phone import Phone
from bed.process import wait_until

CALLS_PER_SECOND = 4
LONGEST_CALL = 8.0
SILENT_SECONDS = 40  # a caller that never acknowledges is let go after 64 T1
LONG_PROMPT_SECONDS = 20
PACKETS_ON_THEIR_WAY = 2.0

BUSY, RINGS_ON = "2002", "2003"
HANDOFF, PLAY, GATHER, DIAL, UNANSWERED, ENGAGED = "100", "101", "102", "103", "104", "105"
SHAPES = {HANDOFF: 5, PLAY: 4, GATHER: 3, DIAL: 5, UNANSWERED: 2, ENGAGED: 1}


class Book:
    """What the numbers do: documents on the application server, sounds on the origin."""

    def __init__(self, world):
        self._world, self._count = world, 0
        self.origin = world.origin()
        for name, seconds in ("short.wav", 1), ("long.wav", LONG_PROMPT_SECONDS):
            prompt.make(self.origin.path(name), seconds=seconds)
        short = document.play(f"{self.origin.url}/short.wav")
        self.renew()
        self._put(HANDOFF, document.play(f"{self.origin.url}/short.wav"), document.module(registry.CONNECT))
        self._put(GATHER, document.gather("next.xml", short, digits=2, timeout=5), document.hangup())
        self._put(GATHER, short, document.hangup(), name="next.xml")
        self._put(DIAL, document.dial("2001"), document.hangup())
        self._put(UNANSWERED, document.dial(RINGS_ON, answerOnBridge="true", timeout=5), document.hangup())
        self._put(ENGAGED, document.dial(BUSY), short, document.hangup())

    def _put(self, number, *verbs, name="start.xml"):
        return self._world.web.put(f"{number}/{name}", document.response(*verbs))

    def renew(self):
        """Calls of PLAY ask for a sound that the media layer doesn't have yet."""
        self._count += 1
        name = f"long-{self._count}.wav"
        with open(self.origin.path("long.wav"), "rb") as sound:
            self.origin.put(name, sound.read())
        self._put(PLAY, document.play(f"{self.origin.url}/{name}"), document.hangup())

    def groups(self):
        groups = self._world.documents(document.response(document.hangup()))
        front, connect = groups["modules"]
        groups["modules"] = [self._module(front, number) for number in SHAPES] + [connect]
        groups["numbers"] = [{**groups["numbers"][0], "pattern": number, "module": f"module-{number}"}
                             for number in SHAPES]
        return groups

    def _module(self, front, number):
        space = f"{self._world.web.url}/{number}"
        return {**front, "code": f"module-{number}", "url": f"{space}/start.xml", "uri_space": space}


def meets(number):
    """What the callee does when it is called as this number."""
    return {BUSY: far_end.BUSY, RINGS_ON: far_end.RING}.get(number, far_end.ANSWER)


class Callers:
    """Places calls and does with them what people do, until rest()."""

    def __init__(self, stage, seed, seconds):
        self._stage, self._random = stage, random.Random(seed)
        self._silent_until = seconds - SILENT_SECONDS  # as calls per second go
        self._phones = {}  # call id -> [phone, its digits, the thread that presses them]
        self._lock = threading.Lock()
        self.heard_by_phones = 0
        self.placed = {number: 0 for number in SHAPES}
        self.silent = 0
        self._follow = stage.caller.on_change
        stage.caller.on_change = self._changed
        stage.callee.meets = meets
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        placed = 0
        while not self._over.wait(self._random.expovariate(CALLS_PER_SECOND)):
            shapes = list(SHAPES)
            number = shapes[placed % len(shapes)] if placed < 2 * len(shapes) else \
                self._random.choices(shapes, SHAPES.values())[0]
            self.placed[number] += 1
            self._place(number, placed)
            placed += 1

    def _place(self, number, placed):
        caller = self._stage.caller
        if number == GATHER:
            self._place_phone(number)
            return
        early = placed < CALLS_PER_SECOND * self._silent_until
        silent = number == PLAY and (placed in (1, 7) or (early and self._random.random() < 0.1))
        self.silent += silent
        call = caller.call(number, acks=not silent)
        if silent:
            return
        self._leave_later(caller, call, self._leaving())
        if self._random.random() < 0.25:
            held = self._random.uniform(0.2, 3.0)
            for seconds, hold in (held, True), (held + self._random.uniform(0.1, 2.0), False):
                caller.after(seconds, lambda hold=hold: caller.hold(call, hold))
        if self._random.random() < 0.3:
            callees = list(self._stage.callee.calls.values())
            if callees:
                self._stage.callee.hang_up(callees[-1])

    def _leaving(self):
        """Seconds until the caller has enough."""
        return self._random.uniform(0.0, 0.3) if self._random.random() < 0.15 else \
            self._random.uniform(0.2, LONGEST_CALL)

    def _leave_later(self, end, call, seconds):
        """One that nothing is known of yet is tried again a little later."""
        def leave():
            end.give_up(call)
            if call.state == "trying":
                self._leave_later(end, call, 1.0)
        end.after(seconds, leave)

    def _place_phone(self, number):
        """Its digits come from the address that its SDP names: it has a socket of its own."""
        phone = Phone(self._stage.caller.host, 0)
        digits = [self._random.choice("0123456789*#") for _ in range(self._random.choice((0, 1, 2, 3)))]
        with self._lock:
            call = self._stage.caller.call(number, media_port=phone.port)
            self._phones[call.id] = [phone, digits, None]
        self._leave_later(self._stage.caller, call, self._leaving())

    def _changed(self, call):
        """In the far end's thread, which is not to wait."""
        if call.media_port == self._stage.caller.media_port:
            self._follow(call)
        elif call.state == "answered" and call.media:
            threading.Thread(target=self._press, args=(call,), daemon=True).start()
        elif call.state == "ended":
            threading.Timer(PACKETS_ON_THEIR_WAY, self._put_away, (call.id,)).start()

    def _press(self, call):
        with self._lock:
            entry = self._phones[call.id]
            entry[2] = threading.current_thread()
        phone, digits, _ = entry
        for digit in digits:
            if call.state == "answered":
                phone.speak(call.media, 15)
                phone.press(call.media, digit)

    def _put_away(self, call_id):
        with self._lock:
            phone, _, pressing = self._phones.pop(call_id)
        if pressing:
            pressing.join()
        phone.close()
        with self._lock:
            self.heard_by_phones += phone.received

    def rest(self):
        self._over.set()
        self._thread.join()

    def close(self):
        """When all calls are over."""
        wait_until("phones put away", lambda: not self._phones)
