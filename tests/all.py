#!/usr/bin/python3
"""Every build, check and test, in one go: what `./run test` and the CI run.

    all.py [--list] [--only PATTERN]

Each step prints a line; one that fails prints what it said. The last line reads
"N passed, N failed, N skipped" over all steps, a step of many tests counting each of them."""

import argparse
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
JOBS = str(os.cpu_count() or 1)
PYTHON = "/usr/bin/python3"
# A finding of a sanitizer ends the program, so that no test passes over one.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:halt_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1",
    "LSAN_OPTIONS": "suppressions=" + os.path.join(ROOT, "tests/e2e/bed/leaks.supp") + ":print_suppressions=0",
}
# Folder, compiler, meson options. The plain build is the one that ./run build makes.
BUILDS = {
    "build": ("gcc", ()),
    "build-asan": ("gcc", ("-Db_sanitize=address,undefined", "-Db_lundef=false")),
    "build-tsan": ("gcc", ("-Db_sanitize=thread", "-Db_lundef=false")),
    "build-clang": ("clang", ()),
}
_COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
STEP_SECONDS = 900
# Tests of what two threads or processes touch at a time.
UNDER_THREADS = ("contract/ring", "contract/leg", "base/mailbox", "journal/journal", "link/link",
                 "calls/shelf", "records/records")


class Outcome:
    def __init__(self, passed=0, failed=0, skipped=0, said=""):
        self.passed, self.failed, self.skipped, self.said = passed, failed, skipped, said


def command(*argv, env=None, seconds=STEP_SECONDS):
    """Runs it. Returns (exit status, output)."""
    try:
        done = subprocess.run(argv, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=seconds, check=False)
        return done.returncode, done.stdout
    except FileNotFoundError:
        return 127, f"{argv[0]} is not installed; run: ./run packages\n"
    except subprocess.TimeoutExpired as late:
        said = late.stdout.decode("utf-8", "replace") if late.stdout else ""
        return 124, f"{said}\nnot over within {seconds} s\n"


def single(*argv, **more):
    """A step that passes or fails as a whole."""
    status, said = command(*argv, **more)
    return Outcome(passed=1) if status == 0 else Outcome(failed=1, said=said)


def tracked(*patterns):
    # A CI often runs as root in a checkout of another user, which git refuses to read unless it is told to.
    status, said = command("git", "-c", "safe.directory=" + os.path.realpath(ROOT), "ls-files",
                           "--cached", "--others", "--exclude-standard", *patterns)
    if status != 0:
        raise SystemExit(f"git ls-files: {said}")
    return [path for path in said.splitlines() if os.path.exists(os.path.join(ROOT, path))]


# --- builds -------------------------------------------------------------------------------------------


def configure(folder):
    """Returns None, or what meson said against it."""
    if os.path.exists(os.path.join(ROOT, folder, "build.ninja")):
        return None
    compiler, options = BUILDS[folder]
    status, said = command("meson", "setup", folder, *options, env={"CC": compiler})
    return None if status == 0 else said


def build(folder):
    said = configure(folder)
    if said:
        return Outcome(failed=1, said=said)
    return single("ninja", "-C", folder, "-j", JOBS, "--quiet")


# --- tests --------------------------------------------------------------------------------------------


def meson_tests(folder, wanted=lambda name: True):
    """Unit tests and replays of the fuzz corpora, counted one by one."""
    said = configure(folder)
    if said:
        return Outcome(failed=1, said=said)
    status, listed = command("meson", "introspect", "--tests", folder)
    names = [test["name"] for test in json.loads(listed)] if status == 0 else []
    chosen = [name for name in names if wanted(name)]
    if not chosen:
        return Outcome(failed=1, said=f"no tests in {folder}: {listed[-500:]}")
    status, said = command("meson", "test", "-C", folder, "--print-errorlogs",
                           "--num-processes", JOBS, *(chosen if len(chosen) < len(names) else ()),
                           env=SANITIZER_ENV)
    outcome = Outcome(said=said if status else "")
    try:
        with open(os.path.join(ROOT, folder, "meson-logs", "testlog.json"), encoding="utf-8") as log:
            results = [json.loads(line)["result"] for line in log]
    except (OSError, ValueError, KeyError):
        results = []
    outcome.passed = results.count("OK") + results.count("EXPECTEDFAIL")
    outcome.skipped = results.count("SKIP")
    outcome.failed = len(results) - outcome.passed - outcome.skipped
    if status != 0 and not outcome.failed:
        outcome.failed = 1
    return outcome


def end_to_end(folder, chosen):
    status, said = command(PYTHON, "tests/e2e/run.py", "--build", folder, "--set", chosen, seconds=1500)
    counts = _COUNTS.findall(said)
    if not counts:
        return Outcome(failed=1, said=said)
    outcome = Outcome(*map(int, counts[-1]), said=said if status or int(counts[-1][2]) else "")
    if status != 0 and not outcome.failed:
        outcome.failed = 1
    return outcome


def rings_under_threads():
    """The rings between the planes, and the mailbox between threads, under ThreadSanitizer."""
    return meson_tests("build-tsan", lambda name: name in UNDER_THREADS)


# --- checks --------------------------------------------------------------------------------------------


def clang_format():
    return single("clang-format", "--dry-run", "-Werror", *tracked("*.c", "*.h"))


def clang_tidy():
    return Outcome(failed=1, said=said) if (said := configure("build-clang")) else \
        single("run-clang-tidy", "-p", "build-clang", "-quiet", "-j", JOBS)


# What cppcheck 2.10 takes for faults where there are none: macros of libraries that it can't read, arrays that a
# loop fills, memory that a struct takes over. Compilers and AddressSanitizer look for these.
_CPPCHECK_ERRS = ("unknownMacro", "uninitvar", "memleak", "nullPointer:tests/unit/cache/rogue_worker.c")


def cppcheck():
    return single("cppcheck", "--project=build/compile_commands.json", "--enable=warning,portability",
                  "--inline-suppr", "--quiet", "--error-exitcode=1", "-j", JOBS, "-D__x86_64__",
                  "--suppress=*:/usr/include/*", *(f"--suppress={fault}" for fault in _CPPCHECK_ERRS))


def shell_scripts():
    return single("shellcheck", "run", ".ci/run")


def python_files():
    return single(PYTHON, "-m", "py_compile", *tracked("*.py"))


def include_rules():
    return single(PYTHON, "tests/includes.py")


def include_rules_can_fail():
    return single(PYTHON, "tests/includes.py", "--prove")


STEPS = {
    "build with gcc": lambda: build("build"),
    "build with clang": lambda: build("build-clang"),
    "build with sanitizers": lambda: build("build-asan"),
    "include rules": include_rules,
    "include rules can fail": include_rules_can_fail,
    "clang-format": clang_format,
    "shellcheck": shell_scripts,
    "python": python_files,
    "documents": lambda: single(PYTHON, "tests/documents.py"),
    "unit tests": lambda: meson_tests("build"),
    "unit tests, ASan and UBSan": lambda: meson_tests("build-asan"),
    "rings, TSan": rings_under_threads,
    "end to end, ASan and UBSan": lambda: end_to_end("build-asan", "all"),
    "end to end": lambda: end_to_end("build", "main"),
    "clang-tidy": clang_tidy,
    "cppcheck": cppcheck,
}


def main():
    parser = argparse.ArgumentParser(description="Every build, check and test.")
    parser.add_argument("--only", default="*", help="steps whose name matches, as in file names")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    chosen = [name for name in STEPS if fnmatch.fnmatch(name, options.only)]
    if options.list:
        print("\n".join(chosen))
        return 0
    total = Outcome()
    width = shutil.get_terminal_size().columns
    for name in chosen:
        begun = time.monotonic()
        outcome = STEPS[name]()
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
        print(f"{name}: {outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped "
              f"({time.monotonic() - begun:.0f} s)", flush=True)
        if outcome.said:
            print(outcome.said.rstrip()[-20000:] + "\n" + "-" * min(width, 100), flush=True)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
