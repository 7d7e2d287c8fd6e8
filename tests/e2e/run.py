#!/usr/bin/python3
"""Runs the end-to-end cases: every function case_* of the files test_*.py, and every program of PROGRAMS.

    run.py --build build [--only PATTERN] [--set NAME] [--list]

Each case has a process of its own (and so namespaces, a region and a directory of its own), a time limit, and
is swept up after if it is killed. Prints PASS, FAIL or SKIP for each; the last line counts them."""

import argparse
import fnmatch
import glob
import importlib
import os
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
SKIPPED = 77  # exit status, as automake and meson have it
# Whole programs that are cases: they take --build DIR and end with 0, 77 or another status.
PROGRAMS = ("ua_*.py", "torture.py", "media_layer.py", "dataplane_*.py")


def find_cases():
    """{name: function}; a name is file.function without the prefixes."""
    cases = {}
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        module = importlib.import_module(os.path.basename(path).removesuffix(".py"))
        for attribute, value in vars(module).items():
            if attribute.startswith("case_"):
                cases[f"{module.__name__.removeprefix('test_')}.{attribute.removeprefix('case_')}"] = value
    return cases


def find_programs():
    return {os.path.basename(path).removesuffix(".py"): path
            for pattern in PROGRAMS for path in sorted(glob.glob(os.path.join(HERE, pattern)))}


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


def run_apart(name, build, programs):
    """One case as a child. Returns (exit status, output, seconds)."""
    argv = [sys.executable, programs[name], "--build", build] if name in programs else \
        [sys.executable, os.path.abspath(__file__), "--build", build, "--one", name]
    begun = time.monotonic()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace")
    try:
        output, _ = child.communicate(timeout=CASE_SECONDS)
        status = child.returncode
    except subprocess.TimeoutExpired:
        child.terminate()
        try:
            output, _ = child.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            output, _ = child.communicate()
        output, status = f"not over within {CASE_SECONDS} s\n{output}", 1
    except BaseException:
        child.terminate()
        child.wait()
        raise
    left = owner.sweep()
    if left and status == 0:
        output, status = f"left behind: {', '.join(left)}\n{output}", 1
    return status, output, time.monotonic() - begun


def in_set(name, case, chosen):
    return chosen == "all" or getattr(case, "main", False)


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
    cases, programs = find_cases(), find_programs()
    names = [name for name in (*cases, *programs) if fnmatch.fnmatch(name, options.only)
             and in_set(name, cases.get(name), options.set)]
    if options.list:
        print("\n".join(names))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    owner.sweep()
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    for name in names:
        status, output, seconds = run_apart(name, options.build, programs)
        word = {0: "PASS", SKIPPED: "SKIP"}.get(status, "FAIL")
        counts[word] += 1
        said = "" if word == "PASS" else ": " + output.strip().replace("\n", "\n    ")
        print(f"{word} {name} ({seconds:.1f} s){said}", flush=True)
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] or not counts["PASS"] else 0


if __name__ == "__main__":
    sys.exit(main())
