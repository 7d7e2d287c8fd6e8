"""Huge pages, and the region files of this process on them."""

import os
import shutil

from bed import owner
from bed.process import Failure

HUGEPAGES = "/dev/hugepages"


def require():
    """The pages are prepared by ./run, which runs first; without them no test would say what it measures."""
    with open("/proc/mounts", encoding="ascii") as mounts:
        if not any(line.split()[1:3] == [HUGEPAGES, "hugetlbfs"] for line in mounts):
            raise Failure(f"no hugetlbfs on {HUGEPAGES}; run: mount -t hugetlbfs nodev {HUGEPAGES}")


def remove(region_name):
    """The region outlives both planes by design; after a test it is to go."""
    for directory in owner.REGION_DIRS:
        for entry in os.listdir(directory) if os.path.isdir(directory) else ():
            if entry == region_name or entry.startswith((region_name + ".", region_name + "-")):
                path = os.path.join(directory, entry)
                if os.path.isdir(path):
                    shutil.rmtree(path)
                else:
                    os.unlink(path)
