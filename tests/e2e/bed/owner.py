"""Who made a thing: every name that outlives a process by accident says which process made it.

A run that was killed leaves namespaces, region files and directories behind. Their names carry the process
id and its start time, so that the next run can tell what is nobody's and remove that, and only that."""

import os
import re
import shutil
import signal
import subprocess
import tempfile

PREFIX = "tollgate-bed"
NETNS_DIR = "/run/netns"
REGION_DIRS = ("/dev/hugepages", "/dev/shm")
_NAME = re.compile(r"^" + PREFIX + r"-(\d+)-(\d+)(?:[-.].*)?$")


def start_time(pid):
    """Start of a process in clock ticks since boot, or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def name(thing=""):
    """A name of ours: PREFIX-pid-start[-thing]."""
    own = f"{PREFIX}-{os.getpid()}-{start_time(os.getpid())}"
    return f"{own}-{thing}" if thing else own


def is_orphan(thing):
    match = _NAME.match(thing)
    return bool(match) and start_time(int(match.group(1))) != int(match.group(2))


def made_by(thing, pid):
    match = _NAME.match(thing)
    return bool(match) and int(match.group(1)) == pid


def make_directory():
    return tempfile.mkdtemp(prefix=name() + "-")


def remove_namespace(namespace):
    """Ends what runs inside, by process id, and removes the namespace."""
    pids = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True, check=False)
    for pid in pids.stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)


def _unmount_below(directory):
    with open("/proc/mounts", encoding="ascii") as mounts:
        for place in [line.split()[1] for line in mounts]:
            if place.startswith(directory + "/"):
                subprocess.run(["umount", "-l", place], capture_output=True, check=False)


def sweep():
    """Removes what dead runs left. Returns the names of what was removed."""
    removed = []
    for directory in (NETNS_DIR, *REGION_DIRS, tempfile.gettempdir()):
        try:
            entries = os.listdir(directory)
        except OSError:
            continue
        for entry in filter(is_orphan, entries):
            path = os.path.join(directory, entry)
            if directory == NETNS_DIR:
                remove_namespace(entry)
            elif os.path.isdir(path):
                _unmount_below(path)
                shutil.rmtree(path, ignore_errors=True)
            else:
                try:
                    os.unlink(path)
                except FileNotFoundError:
                    pass
            removed.append(entry)
    return removed
