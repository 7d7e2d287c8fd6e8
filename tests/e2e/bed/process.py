"""Child processes that end with us, and waiting for a line that one of them prints."""

import ctypes
import os
import re
import signal
import subprocess
import threading
import time

_libc = ctypes.CDLL("libc.so.6", use_errno=True)
_PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What a test expected and did not find: a sentence."""


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def call(*argv, input=None, timeout=60, check=True):
    """Runs a command to its end. Returns its standard output."""
    done = subprocess.run([str(a) for a in argv], input=input, capture_output=True, text=True,
                          timeout=timeout, check=False, preexec_fn=_die_with_parent)
    if check and done.returncode != 0:
        raise Failure(f"{' '.join(map(str, argv))} ended with {done.returncode}: "
                      f"{(done.stderr or done.stdout).strip()[-1000:]}")
    return done.stdout


class Process:
    """A running program. Its output (both streams) goes to a file and is watched line by line."""

    def __init__(self, argv, log_path, env=None, cwd=None, echo=None):
        self.argv = [str(a) for a in argv]
        self.name = os.path.basename(log_path).removesuffix(".log")
        self.log_path = log_path
        self.echo = echo
        self._lines = []
        self._news = threading.Condition()
        self._ended = False
        self._child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, env=env, cwd=cwd, start_new_session=True,
                                       preexec_fn=_die_with_parent)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._child.pid

    def _read(self):
        with open(self.log_path, "ab") as log:
            for raw in self._child.stdout:
                log.write(raw)
                log.flush()
                line = raw.decode("utf-8", "replace").rstrip("\n")
                if self.echo:
                    self.echo(line)
                with self._news:
                    self._lines.append(line)
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def lines(self):
        with self._news:
            return list(self._lines)

    def tail(self, count=15):
        return "\n".join(self.lines()[-count:])

    def running(self):
        return self._child.poll() is None

    def wait_for_line(self, pattern, timeout=30, since=0):
        """Waits for a line that the pattern is found in, from line number `since` on. Returns the match."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen = since
        with self._news:
            while True:
                for line in self._lines[seen:]:
                    match = wanted.search(line)
                    if match:
                        return match
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended:
                    raise Failure(f"{self.name} ended before it printed /{pattern}/:\n" + "\n".join(self._lines[-15:]))
                if left <= 0:
                    raise Failure(f"{self.name} did not print /{pattern}/ within {timeout} s:\n"
                                  + "\n".join(self._lines[-15:]))
                self._news.wait(left)

    def send(self, number):
        if self.running():
            self._child.send_signal(number)

    def wait(self, timeout):
        """Waits for the end. Returns the exit status (negative: the signal)."""
        try:
            status = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {timeout} s:\n{self.tail()}") from None
        self._reader.join(5)
        return status

    def stop(self, number=signal.SIGTERM, timeout=15):
        """Asks the program to end, and kills it if it doesn't. Returns the exit status."""
        self.send(number)
        try:
            return self.wait(timeout)
        except Failure:
            self._child.kill()
            self.wait(5)
            raise

    def kill(self):
        """Ends it at once, whatever its state; for cleaning up."""
        if self.running():
            self._child.kill()
        self._child.wait()
        self._reader.join(5)


def wait_until(what, probe, timeout=20, interval=0.02):
    """Waits until probe() is true, for things that can only be looked at. Returns what it returned."""
    deadline = time.monotonic() + timeout
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise Failure(f"not within {timeout} s: {what}")
        time.sleep(interval)
