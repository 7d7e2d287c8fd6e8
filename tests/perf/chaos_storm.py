"""What happens to the gateway in the bench `chaos`: everything that can, at random moments, one on top of another."""

import collections
import contextlib
import random
import signal
import time

from bed import media_worker, unit
from bed.process import Failure, call, wait_until

PLANES = ("control", "dataplane")
LONGEST_STOP = 5.0
KILLED_MEANWHILE = 0.3  # of those that last: how often a plane is killed in the middle
HOUR = 3600
BACK_SECONDS = 60


class Storm:
    def __init__(self, stage, book, disk, clock, seed):
        self._stage, self._book, self._disk, self._clock = stage, book, disk, clock
        self._random = random.Random(seed)
        self.happened = collections.Counter()
        self.reasons = set()  # why a plane may have ended otherwise than by a kill
        self.long_stops = collections.Counter()  # of a plane: those that its watchdog may have ended by SIGABRT
        self.events = {
            "control plane killed": lambda: self._kill("control"),
            "dataplane killed": lambda: self._kill("dataplane"),
            "both planes killed": lambda: self._kill(*PLANES),
            "media worker killed": self._media_worker,
            "application server away": lambda: self._server_away(self._stage.world.web),
            "origin away": self._origin_away,
            "control plane stopped": lambda: self._stop("control"),
            "dataplane stopped": lambda: self._stop("dataplane"),
            "link down": self._link_down,
            "disk full": self._disk_full,
            "clock stepped": self._clock_stepped,
            "registry read again": self._reload,
        }

    def run(self, until, pause, between):
        """First everything once, in a random order. pause: most seconds between two. between: called now and then."""
        first = list(self.events)
        self._random.shuffle(first)
        done = 0
        while time.monotonic() < until:
            time.sleep(self._random.uniform(0.3, pause))
            name = first.pop() if first else self._random.choice(list(self.events))
            if self.events[name]() is not False:
                self.happened[name] += 1
            done += 1
            between(done, name)
        for name in first:  # a machine so slow that the time was over before
            if self.events[name]() is not False:
                self.happened[name] += 1
        if self._clock.step_seconds:
            self._clock.step(-self._clock.step_seconds)

    # --- planes -------------------------------------------------------------------------------------------

    def _send(self, plane, number):
        with contextlib.suppress(ProcessLookupError):
            self._stage.gateway.plane(plane).send(number)

    def _is_back(self, plane, before):
        self._stage.supervisor.check()
        process = self._stage.gateway.plane(plane)
        return process.pid != before and process.running() and any("event=ready" in line for line in process.lines())

    def _kill(self, *planes):
        self._wait_back({plane: self._kill_one(plane) for plane in planes})

    def _kill_one(self, plane):
        pid = self._stage.gateway.plane(plane).pid
        self._send(plane, signal.SIGKILL)
        return pid

    def _wait_back(self, killed):
        for plane, pid in killed.items():
            wait_until(f"{plane} is back", lambda plane=plane, pid=pid: self._is_back(plane, pid), BACK_SECONDS)

    def _stop(self, plane):
        process, seconds = self._stage.gateway.plane(plane), self._random.uniform(0.5, LONGEST_STOP)
        process.send(signal.SIGSTOP)
        time.sleep(seconds)
        process.send(signal.SIGCONT)
        # Signs of life are given at twice the rate that the watchdog wants: the last may have been half its time old.
        self.long_stops[plane] += seconds > unit.seconds(plane, "WatchdogSec") / 2

    def _last(self, seconds):
        """Lets it last. Returns what was killed meanwhile, which comes back as soon as it can."""
        killed = {}
        if self._random.random() < KILLED_MEANWHILE:
            at = self._random.uniform(0, seconds)
            time.sleep(at)
            plane = self._random.choice(PLANES)
            killed[plane] = self._kill_one(plane)
            self.happened[f"{plane} killed meanwhile"] += 1
            seconds -= at
        time.sleep(seconds)
        return killed

    def _reload(self):
        self._send("control", signal.SIGHUP)

    # --- what they work with -------------------------------------------------------------------------------

    def _media_worker(self):
        self._book.renew()
        try:
            media_worker.kill(self._stage.gateway.plane("control").pid)
        except Failure:  # nobody asked for the sound
            return False
        return True

    def _server_away(self, server):
        server.kill()
        killed = self._last(self._random.uniform(0.2, 3.0))
        server.start_again()
        self._wait_back(killed)

    def _origin_away(self):
        self._book.origin.kill()
        self._book.renew()  # a sound that is asked for and can't be had
        killed = self._last(self._random.uniform(0.2, 3.0))
        self._book.origin.start_again()
        self._wait_back(killed)

    def _link_down(self):
        link = "ip", "-n", self._stage.world.network.gateway.name, "link", "set", "media0"
        self.reasons.add("link down")
        call(*link, "down")
        killed = self._last(self._random.uniform(0.2, 3.0))
        call(*link, "up")
        self._wait_back(killed)

    def _disk_full(self):
        self.reasons.add("disk full")
        self._disk.fill()
        killed = self._last(self._random.uniform(0.5, 4.0))
        self._disk.free()
        self._wait_back(killed)

    def _clock_stepped(self):
        self._clock.step(-self._clock.step_seconds or self._random.choice((-HOUR, HOUR)))
