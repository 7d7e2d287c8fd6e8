"""Starting where something is missing: one sentence says what, and which command repairs it. And the bed itself:
what a killed run leaves is found and removed."""

import os
import re
import signal
import subprocess
import sys

from bed import check, document, network, owner
from bed.case import alone, main
from bed.process import Failure

_NO_HUGE_PAGES = ("mount -t tmpfs none /sys/kernel/mm/hugepages && umount /dev/hugepages && "
                  'exec "$@"')


def _refusal(world, plane, *prefix, wanted, changes=None):
    """Starts a plane that can't run. It must end by itself, not well, and its words must match."""
    groups = world.documents(document.response(document.hangup()))
    gateway = world.make_gateway(groups, changes)
    process = gateway.start_plane(plane, wait=False, prefix=prefix)
    status = process.wait(30)
    said = "\n".join(process.lines())
    if status <= 0:
        raise Failure(f"{plane} ended with {status}, not with an error:\n{said}")
    if not re.search(wanted, said):
        raise Failure(f"{plane} did not say /{wanted}/:\n{said}")
    gateway.forget(plane)


def case_without_interface(world):
    _refusal(world, "dataplane", wanted=r"nothere0.*(\n.*)*ip link",
             changes={"media": {"ports": [{"kind": "af_xdp", "interface": "nothere0"}]}})


def case_without_privileges(world):
    _refusal(world, "dataplane", "setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--",
             wanted=r"(?i)(sudo|as root|setcap|systemctl|AmbientCapabilities)")


def case_without_huge_pages(world):
    """It runs on ordinary memory, slower, and says which command gives it huge pages."""
    gateway = world.make_gateway(world.documents(document.response(document.hangup())))
    process = gateway.start_plane("dataplane", prefix=("unshare", "--mount", "--", "sh", "-c", _NO_HUGE_PAGES, "sh"))
    process.wait_for_line(r"level=warn .*event=no-huge-pages .*sysctl -w vm.nr_hugepages")


def case_sip_port_taken(world):
    with world.network.gateway.socket(bind=(network.GATEWAY, 5060)):
        _refusal(world, "control", wanted=r"5060.*(\n.*)*\bss -")


def case_wrong_setting(world):
    """A setting that can't be is refused with file, key and what is allowed."""
    _refusal(world, "control", wanted=r"tollgate\.conf:\d+: media\.port_min: .*allowed",
             changes={"media": {"port_min": 7}})


@main
def case_restart(world):
    """Stopped in order and started again on the same region, both planes are ready."""
    gateway = world.make_gateway(world.documents(document.response(document.hangup())))
    for _ in range(2):
        gateway.start()
        gateway.stop()


_LEAVE_BEHIND = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from bed import network, owner
made = network.Network()
made.caller.start(["sleep", "1000"], os.path.join(owner.make_directory(), "sleep.log"))
print(owner.name(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@main
@alone
def case_sweep(_build):
    """Namespaces, directories and processes of a run that was killed are gone after a sweep; ours stay."""
    with network.Network() as ours:
        here = os.path.dirname(os.path.abspath(__file__))
        killed = subprocess.run([sys.executable, "-c", _LEAVE_BEHIND, here], capture_output=True, text=True, check=False)
        check.equal("how the run ended", killed.returncode, -signal.SIGKILL)
        name = killed.stdout.strip()
        left = [entry for entry in os.listdir(owner.NETNS_DIR) if entry.startswith(name)]
        check.equal("namespaces left by it", len(left), 5)
        removed = owner.sweep()
        if not set(left) <= set(removed):
            raise Failure(f"left {left}, removed {removed}")
        check.none("namespaces after the sweep", [e for e in os.listdir(owner.NETNS_DIR) if e.startswith(name)])
        if not os.path.exists(ours.caller.path):
            raise Failure("the sweep took a namespace of a living run")
