"""The processes that decode sounds for the control plane, which come and go by themselves."""

import contextlib
import os
import signal

from bed.process import wait_until


def pids(control_pid):
    found = []
    tasks = f"/proc/{control_pid}/task"
    with contextlib.suppress(OSError):
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/children", encoding="ascii") as file:
                for pid in map(int, file.read().split()):
                    with open(f"/proc/{pid}/comm", encoding="ascii") as name:
                        if name.read().startswith("tollgate-media"):
                            found.append(pid)
    return found


def kill(control_pid, timeout=5):
    """Kills those that work, or the first that does."""
    for pid in wait_until("a media worker", lambda: pids(control_pid), timeout, interval=0.001):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
