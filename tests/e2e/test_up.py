"""What starts a plane again: the supervisor, and `./run up` with it."""

import os
import re
import signal
import sys

from bed import check, scenario as sip
from bed.case import Skip, alone
from bed.conductor import media
from bed.gateway import PROGRAMS
from bed.namespace import Namespace
from bed.process import Failure
from bed.supervisor import Supervisor
from test_relay import CALLS, IS_CALLED, dial_at_once, talk

HERE = os.path.dirname(os.path.abspath(__file__))
AREAS = {"dataplane": "dataplane", "control": "calls"}  # who says event=ready


def case_each_plane_under_a_supervisor(world):
    """Whichever plane is killed, it is there again by itself, and the call goes on."""
    dial_at_once(world)
    supervisor = Supervisor(world.gateway)
    try:
        phones = world.phone(world.network.caller), world.phone(world.network.callee)
        called = world.callee(*IS_CALLED, sip.ended())
        calling = world.caller(*CALLS, sip.wait(), sip.bye())
        answered = calling.wait("answered")
        remotes = media(answered), media(called.wait("answered"))
        talk(phones, remotes, 10)
        for number, plane in enumerate(PROGRAMS, 1):
            world.gateway.plane(plane).send(signal.SIGKILL)
            start = supervisor.wait_start(plane, 1)
            check.equal("how it ended", start.status, -signal.SIGKILL)
            start.process.wait_for_line(r"\bevent=ready\b", 60)
            check.equal("starts", len(supervisor.starts()), number)
            talk(phones, remotes, 10)
        calling.tell(answered)
        calling.finish()
        called.finish()
        rows = world.rows(certain=False)
        check.equal("leg rows", len(rows.legs()), 2)
        check.replaced_once(rows, None)
        world.audit()
        supervisor.rest()
        world.gateway.stop()
    finally:
        supervisor.close()


def case_supervisor_gives_up(world):
    """A plane that can't start is not started for ever."""
    dial_at_once(world)
    supervisor = Supervisor(world.gateway, starts=3)
    try:
        with open(world.gateway.settings_path, "w", encoding="utf-8") as file:
            file.write("this is no settings file\n")
        world.gateway.plane("control").send(signal.SIGKILL)
        try:
            supervisor.wait_start("control", 4)
        except Failure as failure:
            if "after 3 starts within 60 s" not in str(failure):
                raise
        else:
            raise Failure("it was started for the fourth time")
        check.equal("starts", len(supervisor.starts()), 3)
    finally:
        supervisor.close()
    world.gateway.forget("control")
    world.gateway.forget("dataplane")


def _planes_of(up):
    """The planes' process ids by name: children of `./run up`, whichever of its threads started them."""
    found = {}
    for thread in os.listdir(f"/proc/{up.pid}/task"):
        with open(f"/proc/{up.pid}/task/{thread}/children", encoding="ascii") as file:
            for pid in map(int, file.read().split()):
                name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
                found.update({plane: pid for plane, path in PROGRAMS.items() if os.path.basename(path) == name})
    return found


@alone
def case_up(build):
    """./run up: each plane is killed and is back; SIGINT ends everything well."""
    if os.path.exists("/sys/class/net/tollgate-up"):
        raise Skip("./run up is running on this host")
    host = Namespace("up-host")
    log = os.path.join(build, "e2e-up.log")
    if os.path.exists(log):
        os.unlink(log)
    up = host.start([sys.executable, os.path.join(HERE, "up.py"), "--build", build], log)
    try:
        up.wait_for_line("Ctrl-C ends it", 60)
        for plane in PROGRAMS:
            so_far = len(up.lines())
            os.kill(_planes_of(up)[plane], signal.SIGKILL)
            up.wait_for_line(rf"^up: {plane} was killed by SIGKILL: starting it again", since=so_far)
            up.wait_for_line(rf"\barea={AREAS[plane]} .*\bevent=ready\b", 60, since=so_far)
        check.equal("exit status", up.stop(signal.SIGINT, 60), 0)
        if not re.search("^ending$", "\n".join(up.lines()), re.M):
            raise Failure(f"it did not say that it was ending:\n{up.tail()}")
    finally:
        up.kill()
        host.remove()
