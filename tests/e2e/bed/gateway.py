"""The two planes of one gateway, with settings, registry, state and region of their own."""

import os
import signal

from bed import network, owner, region, sanitizer, unit
from bed.notify import Listener
from bed.process import Failure
from bed.tool import Tool

PROGRAMS = {"dataplane": "dataplane/tollgate-dataplane", "control": "controlplane/tollgate-control"}
STOP_SECONDS = 30  # a build with sanitizers looks for leaks before it ends


def state_directory(directory):
    return os.path.join(directory, "state")


def run_directory(directory):
    return os.path.join(directory, "run")


def region_name():
    return owner.name("region")


def default_settings(directory):
    return {
        "registry": "registry.conf",
        "node": {"name": "gw1", "state_dir": state_directory(directory), "run_dir": run_directory(directory)},
        "region": {"dir": region.HUGEPAGES, "name": region_name()},
        "media": {"addresses": [network.GATEWAY], "ports": [{"kind": "af_xdp", "interface": "media0"}],
                  "port_min": 20000, "port_max": 21999, "arena_mib": 16, "items": 64},
        "sip": {"address": network.GATEWAY,
                "trunks": [{"name": "caller", "address": network.CALLER, "calls_per_second": 1000},
                           {"name": "callee", "address": network.CALLEE, "calls_per_second": 1000,
                            "target": network.CALLEE}]},
        "http": {"allow": [network.RANGE]},
        # So often that most starts of a test begin behind one.
        "journal": {"checkpoint_records": 10},
    }


class Gateway:
    def __init__(self, host, directory, build, settings_text, registry_text, echo=None):
        """settings_text: with this directory's state_directory() and run_directory(), and region_name().
        echo: called with each log line."""
        self._host = host
        self._directory = directory
        self._build = os.path.abspath(build)
        self._echo = echo
        self.more_environment = {}  # of the planes that are started from now on
        self.more_asan_options = ""
        self._planes = {}
        self._listeners = {}
        self._starts = 0
        self.settings_path = self._write("tollgate.conf", settings_text)
        self._write("registry.conf", registry_text)
        os.makedirs(state_directory(directory), exist_ok=True)
        os.makedirs(run_directory(directory), exist_ok=True)
        self.tool = Tool(self._build, self.settings_path)

    def _write(self, name, text):
        path = os.path.join(self._directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    @property
    def cdr_directory(self):
        return os.path.join(state_directory(self._directory), "cdr")

    def start_plane(self, plane, wait=True, prefix=()):
        """prefix: a command that runs the plane, such as one that takes its privileges away."""
        environment = sanitizer.environment(os.path.join(self._directory, f"sanitizer.{plane}"))
        environment.update(self._listen(plane).environment(), **self.more_environment)
        environment["ASAN_OPTIONS"] += self.more_asan_options
        program = os.path.join(self._build, PROGRAMS[plane])
        if not os.path.exists(program):
            raise Failure(f"{program} is not there; run: ./run build")
        self._planes[plane] = self._host.start([*prefix, program, "--settings", self.settings_path],
                                               os.path.join(self._directory, f"{plane}.log"),
                                               env=environment, echo=self._echo)
        if wait:
            self.wait_ready(plane)
        return self._planes[plane]

    def _listen(self, plane):
        """A new socket for each process: what its predecessor said is nobody's any more."""
        if plane in self._listeners:
            self._listeners.pop(plane).close()
        self._starts += 1
        path = os.path.join(self._directory, f"notify.{self._starts}")
        self._listeners[plane] = Listener(path, unit.seconds(plane, "WatchdogSec"))
        return self._listeners[plane]

    def listener(self, plane):
        """What the plane says of itself comes in here, whether or not anybody reads it."""
        return self._listeners[plane]

    def wait_ready(self, plane, timeout=60):
        self._planes[plane].wait_for_line(r"\bevent=ready\b", timeout)

    def start(self):
        for plane in PROGRAMS:
            self.start_plane(plane, wait=False)
        for plane in PROGRAMS:
            self.wait_ready(plane)
        return self

    def plane(self, plane):
        return self._planes[plane]

    def forget(self, plane):
        """A plane that was meant to end by itself."""
        self._planes.pop(plane).kill()

    def stop(self):
        """Ends both planes in order; each must end well and no sanitizer may have spoken."""
        faults = []
        for plane in ("control", "dataplane"):
            process = self._planes.pop(plane, None)
            if not process:
                continue
            try:
                if not process.running():
                    faults.append(f"{plane} ended by itself with {process.wait(1)}:\n{process.tail(25)}")
                elif (status := process.stop(signal.SIGTERM, STOP_SECONDS)) != 0:
                    faults.append(f"{plane} ended with {status}, not 0:\n{process.tail(25)}")
            except Failure as failure:
                faults.append(str(failure))
        faults += sanitizer.reports(self._directory)
        if faults:
            raise Failure("\n".join(faults))

    def remove(self):
        """Whatever happened before: no process and no region is left."""
        for process in self._planes.values():
            process.kill()
        self._planes.clear()
        while self._listeners:
            self._listeners.popitem()[1].close()
        region.remove(region_name())
