#!/usr/bin/python3
"""Runs the end-to-end cases: every function case_* of the files test_*.py, and the programs of PROGRAMS, each of
which tests a part by itself and counts its own cases.

    run.py --build build [--only PATTERN] [--set NAME] [--list]

Each case has a process of its own (and so namespaces, a region and a directory of its own), a time limit, and
is swept up after if it is killed. Prints PASS, FAIL or SKIP for each; the last line counts them."""

import argparse
import fnmatch
import glob
import importlib
import os
import re
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from bed import owner, region  # noqa: E402
from bed.case import Skip  # noqa: E402
from bed.process import Failure  # noqa: E402
from bed.world import World  # noqa: E402

CASE_SECONDS = 120
COUNTED = ("PASS", "FAIL", "SKIP")
SKIPPED = 77  # exit status, as automake and meson have it
PROGRAM_SECONDS = 400
# Name, and its command line; {build} is the build directory.
PROGRAMS = {
    "ua_sip": ("ua_sip.py", "{build}/tests/e2e/ua_probe"),
    "ua_takeover": ("ua_takeover.py", "{build}/tests/e2e/ua_probe"),
    "torture": ("torture.py", "{build}/tests/e2e/ua_probe"),
    "dataplane_ports": ("dataplane_ports.py", "--build", "{build}"),
    "dataplane_ipv6": ("dataplane_ipv6.py", "--build", "{build}"),
    "dataplane_starts": ("dataplane_starts.py", "--build", "{build}"),
    "dataplane_telemetry": ("dataplane_telemetry.py", "--build", "{build}"),
    "media_layer": ("media_layer.py", "--build", "{build}"),
    "demo": ("demo.py", "--build", "{build}"),
}
NO_TESTS = ("run.py", "up.py")
_CASE_LINE = re.compile(r"^(PASS|FAIL|SKIP)\b", re.M)


def find_cases():
    """{name: function}; a name is file.function without the prefixes."""
    cases = {}
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path).removesuffix(".py"))
        for attribute, value in vars(module).items():
            if attribute.startswith("case_"):
                cases[f"{module.__name__.removeprefix('test_')}.{attribute.removeprefix('case_')}"] = value
    return cases


def run_one(name, build):
    """In a process of its own: one case, from nothing to nothing."""
    case = find_cases()[name]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    keep = os.path.join(build, "e2e-failed", name)
    world = None
    try:
        region.require()
        if getattr(case, "alone", False):
            case(build)
        else:
            world = World(build, keep)
            case(world)
            world.finish()
    except Skip as why:
        if world:
            world.close()
        print(why)
        return SKIPPED
    except BaseException as why:
        if world:
            world.close(failed=True)
        if isinstance(why, (Failure, AssertionError, SystemExit)):
            frame = traceback.extract_tb(why.__traceback__)
            line = next((f for f in reversed(frame) if os.path.basename(f.filename).startswith("test_")), frame[-1])
            print(f"{os.path.basename(line.filename)}:{line.lineno}: {why}")
        else:
            traceback.print_exc(file=sys.stdout)
        print(f"(files: {keep})" if world else "")
        return 1
    if world:
        world.close()
    return 0


def forgotten():
    """Programs beside this one that nothing would run."""
    known = {program for program, *_ in PROGRAMS.values()} | set(NO_TESTS)
    for path in sorted(glob.glob(os.path.join(HERE, "*.py"))):
        with open(path, encoding="utf-8") as file:
            if "\nif __name__ ==" in file.read() and os.path.basename(path) not in known:
                yield os.path.basename(path)


def command_line(name, build):
    if name not in PROGRAMS:
        return [sys.executable, os.path.abspath(__file__), "--build", build, "--one", name]
    program, *arguments = PROGRAMS[name]
    return [sys.executable, os.path.join(HERE, program), *(argument.format(build=build) for argument in arguments)]


def run_apart(name, build):
    """One case, or one program, as a child. Returns (exit status, output, seconds)."""
    limit = PROGRAM_SECONDS if name in PROGRAMS else CASE_SECONDS
    begun = time.monotonic()
    child = subprocess.Popen(command_line(name, build), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace")
    try:
        output, _ = child.communicate(timeout=limit)
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.terminate()
        try:
            output, _ = child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            output, _ = child.communicate()
        output, status = f"not over within {limit} s\n{output}", 1
    except BaseException:
        child.terminate()
        child.wait()
        raise
    # Others may run tests at the same time: what they leave is swept, but not this case's fault.
    left = [name for name in owner.sweep() if owner.made_by(name, child.pid)]
    if left and status == 0:
        output, status = f"left behind: {', '.join(left)}\n{output}", 1
    return status, output, time.monotonic() - begun


def outcome(status, output):
    """What one child adds to the counts: a program's own PASS, FAIL and SKIP lines, or one for the child."""
    word = {0: "PASS", SKIPPED: "SKIP"}.get(status, "FAIL")
    counts = {kind: 0 for kind in COUNTED}
    for own in _CASE_LINE.findall(output):
        counts[own] += 1
    if not any(counts.values()) or (word == "FAIL" and not counts["FAIL"]):
        counts[word] += 1
    return word, counts


def main():
    parser = argparse.ArgumentParser(description="End-to-end tests.")
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    parser.add_argument("--only", default="*", help="cases whose name matches, as in file names")
    parser.add_argument("--set", default="all", choices=("all", "main"), help="main: the few that show most")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    if options.one:
        return run_one(options.one, options.build)
    cases = find_cases()
    names = [name for name in (*cases, *PROGRAMS) if fnmatch.fnmatch(name, options.only)
             and (options.set == "all" or getattr(cases.get(name), "main", False))]
    if options.list:
        print("\n".join(names))
        return 0
    for program in forgotten():
        sys.exit(f"{program} is not in PROGRAMS: nothing would run it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    owner.sweep()
    counts = {kind: 0 for kind in COUNTED}
    for name in names:
        status, output, seconds = run_apart(name, options.build)
        word, added = outcome(status, output if name in PROGRAMS else "")
        for kind in COUNTED:
            counts[kind] += added[kind]
        said = output.strip().replace("\n", "\n    ") if word != "PASS" else ""
        print(f"{word} {name} ({sum(added.values())} cases, {seconds:.1f} s)" if name in PROGRAMS else
              f"{word} {name} ({seconds:.1f} s)", flush=True)
        if said:
            print("    " + said, flush=True)
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] or not counts["PASS"] else 0


if __name__ == "__main__":
    sys.exit(main())
