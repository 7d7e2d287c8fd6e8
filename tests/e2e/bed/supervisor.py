"""What systemd does for the planes by their units: one that has ended is started again at once, and one that gives
no sign of life for the time of its watchdog is ended.

In one thing it differs. A plane that ends again and again is started only so often, because whoever looks on is to
be told. Each plane's process belongs to the thread that started it (it is killed when that thread ends), so the
thread of a supervisor lives until close(), which comes after the gateway's own stop()."""

import collections
import os
import select
import signal
import threading
import time

from bed import unit
from bed.gateway import PROGRAMS
from bed.process import Failure

STARTS, WITHIN_SECONDS = 10, 60
_GOES_ON = {"control": "calls go on, what they need of it waits", "dataplane": "calls go on, media resumes"}

_HEARD = {("READY", "1"), ("WATCHDOG", "1"), ("STOPPING", "1")}

# status: how the one before ended; at: time.monotonic() just before the new one began.
Start = collections.namedtuple("Start", "plane status at process")


def ending(status):
    """An exit status in words."""
    if status >= 0:
        return f"ended with {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


class _Watched:
    """One process of a plane, from its start to its end."""

    def __init__(self, gateway, plane):
        self.plane = plane
        self.process = gateway.plane(plane)
        self.ended = os.pidfd_open(self.process.pid)
        self.listener = gateway.listener(plane)
        self.due = None  # when patience with it ends
        self._aborted = False

    def hear(self):
        for name, _ in filter(lambda pair: pair in _HEARD, self.listener.heard()):
            if not self._aborted:
                self.due = None if name == "STOPPING" else time.monotonic() + self.listener.watchdog_seconds

    def lose_patience(self):
        """SIGABRT, and to a process that was stopped also what lets it go on and die; then SIGKILL. Returns what is
        to be said."""
        if self._aborted:
            self.due = None
            self.process.send(signal.SIGKILL)
            return f"{self.plane} does not end: killed"
        self._aborted = True
        self.due = time.monotonic() + unit.seconds(self.plane, "TimeoutAbortSec")
        for number in (signal.SIGABRT, signal.SIGCONT):
            self.process.send(number)
        return f"{self.plane} gave no sign of life for {self.listener.watchdog_seconds:g} s: aborted"

    def close(self):
        os.close(self.ended)


class Supervisor:
    def __init__(self, gateway, say=lambda _: None, starts=STARTS, within=WITHIN_SECONDS):
        """The gateway's planes are ready. starts: allowed `within` so many seconds, both planes together."""
        self._gateway = gateway
        self._say = say
        self._limit = starts, within
        self._news = threading.Condition()
        self._starts = []
        self._failure = None
        self._resting = False
        self._woken, self._wake = os.pipe()
        self._over = threading.Event()
        self._watched = {plane: _Watched(gateway, plane) for plane in PROGRAMS}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            self._watch()
        except Exception as why:  # whatever it was, whoever waits must learn of it
            with self._news:
                self._failure = why
                self._news.notify_all()
        self._over.wait()

    def _watch(self):
        while True:
            poll = select.poll()
            poll.register(self._woken, select.POLLIN)
            for one in self._watched.values():
                poll.register(one.ended, select.POLLIN)
                poll.register(one.listener, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll(self._patience_ms())}
            if self._woken in ready:
                return
            for one in list(self._watched.values()):
                if one.ended in ready:
                    if not self._replace(one):
                        return
                elif one.listener.fileno() in ready:
                    one.hear()
                elif one.due is not None and one.due <= time.monotonic():
                    self._say(one.lose_patience())

    def _patience_ms(self):
        due = [one.due for one in self._watched.values() if one.due is not None]
        return max(0, (min(due) - time.monotonic()) * 1000) + 1 if due else None

    def _replace(self, ended):
        """Starts the plane again. Returns whether it did; else no more is to be started."""
        plane = ended.plane
        status = ended.process.wait(5)
        ended.close()
        del self._watched[plane]
        time.sleep(unit.seconds(plane, "RestartSec"))
        with self._news:
            if self._resting:
                return False
            now = time.monotonic()
            starts, within = self._limit
            if sum(start.at > now - within for start in self._starts) >= starts:
                raise Failure(f"{plane} {ending(status)}; after {starts} starts within {within} s it is not "
                              f"started again. Its last lines:\n{ended.process.tail()}")
            self._say(f"{plane} {ending(status)}: starting it again; {_GOES_ON[plane]}")
            start = Start(plane, status, time.monotonic(), self._gateway.start_plane(plane, wait=False))
            self._watched[plane] = _Watched(self._gateway, plane)
            self._starts.append(start)
            self._news.notify_all()
        return True

    def starts(self, plane=None):
        with self._news:
            return [start for start in self._starts if plane in (None, start.plane)]

    def wait_start(self, plane, count, timeout=20):
        """Waits for the plane's start number `count`, from 1. Returns it."""
        def reached():
            return self._failure or sum(start.plane == plane for start in self._starts) >= count
        with self._news:
            if not self._news.wait_for(reached, timeout):
                raise Failure(f"{plane} was not started for the {count}. time within {timeout} s")
        self.check()
        return self.starts(plane)[count - 1]

    def check(self):
        """Fails if it has given up."""
        if self._failure:
            raise self._failure

    def wait(self):
        """Returns only by an exception: the supervisor's, or one that a signal's handler raises."""
        while True:
            with self._news:
                self._news.wait_for(lambda: self._failure, 1)
            self.check()

    def rest(self):
        """Starts nothing from now on: the planes are about to be stopped."""
        with self._news:
            self._resting = True
        os.write(self._wake, b"x")

    def close(self):
        """Ends the thread, and with it whatever it has started and still runs."""
        if self._over.is_set():
            return
        self.rest()
        self._over.set()
        self._thread.join()
        for one in self._watched.values():
            one.close()
        for descriptor in (self._woken, self._wake):
            os.close(descriptor)
