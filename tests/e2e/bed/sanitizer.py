"""What programs built with sanitizers are told, and what they say. Without sanitizers all of it means nothing."""

import glob
import os

_SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "leaks.supp")


def environment(report):
    """The environment of a program whose findings go to files named `report`.PID."""
    options = {
        # Whole stacks through libraries without frame pointers: the suppressions go by them.
        "ASAN_OPTIONS": f"log_path={report}:detect_leaks=1:exitcode=99:fast_unwind_on_malloc=0",
        "UBSAN_OPTIONS": f"log_path={report}:print_stacktrace=1",
        "LSAN_OPTIONS": f"suppressions={_SUPPRESSIONS}:print_suppressions=0",
    }
    return {**os.environ, **options}


def reports(directory):
    """The findings in a directory, as text; an empty list is a clean run."""
    found = []
    for path in sorted(glob.glob(os.path.join(directory, "sanitizer.*"))):
        with open(path, encoding="utf-8", errors="replace") as file:
            found.append(f"{os.path.basename(path)}:\n{file.read()[:4000]}")
    return found
