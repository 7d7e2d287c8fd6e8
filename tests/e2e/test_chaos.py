"""A minute of the bench `chaos`: everything fails at random while calls come and go."""

import os
import sys
from types import SimpleNamespace

from bed import check
from bed.case import alone

SEED = 11
SECONDS = 60

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "perf"))


@alone
def case_a_minute(build):
    """Everything happens at least once, and there is no call that its records don't explain."""
    import chaos  # of tests/perf
    result = chaos.run(SimpleNamespace(build=build, seed=SEED, seconds=SECONDS), print)
    check.equal("unexplained", result["unexplained"], 0)
    if result["answered"] < SECONDS or not all(result["shapes"].values()):
        raise AssertionError(f"not much happened: {result}")
    missing = {"control plane killed", "dataplane killed", "both planes killed", "media worker killed",
               "application server away", "origin away", "control plane stopped", "dataplane stopped", "link down",
               "disk full", "clock stepped", "registry read again"} - result["events"].keys()
    check.equal("what did not happen", missing, set())
