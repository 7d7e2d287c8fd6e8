"""What an init system does for the planes: one that has ended is started again at once.

Only so often: a plane that ends again and again is not helped by another start, and whoever looks on is to be
told. Each plane's process belongs to the thread that started it (it is killed when that thread ends), so the
thread of a supervisor lives until close(), which comes after the gateway's own stop()."""

import collections
import os
import select
import signal
import threading
import time

from bed.gateway import PROGRAMS
from bed.process import Failure

STARTS, WITHIN_SECONDS = 10, 60
_GOES_ON = {"control": "calls go on, what they need of it waits", "dataplane": "calls go on, media resumes"}

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
        self._watched = {os.pidfd_open(gateway.plane(plane).pid): plane for plane in PROGRAMS}
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
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        for descriptor in self._watched:
            poll.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._woken:
                    return
                poll.unregister(descriptor)
                os.close(descriptor)
                successor = self._ended(self._watched.pop(descriptor))
                if successor is None:
                    return
                poll.register(successor, select.POLLIN)

    def _ended(self, plane):
        """Starts the plane again. Returns the descriptor to watch, or None when no more is to be started."""
        process = self._gateway.plane(plane)
        status = process.wait(5)
        with self._news:
            if self._resting:
                return None
            now = time.monotonic()
            starts, within = self._limit
            if sum(start.at > now - within for start in self._starts) >= starts:
                raise Failure(f"{plane} {ending(status)}; after {starts} starts within {within} s it is not "
                              f"started again. Its last lines:\n{process.tail()}")
            self._say(f"{plane} {ending(status)}: starting it again; {_GOES_ON[plane]}")
            start = Start(plane, status, time.monotonic(), self._gateway.start_plane(plane, wait=False))
            self._starts.append(start)
            self._news.notify_all()
        successor = os.pidfd_open(start.process.pid)
        self._watched[successor] = plane
        return successor

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
        for descriptor in (self._woken, self._wake, *self._watched):
            os.close(descriptor)
