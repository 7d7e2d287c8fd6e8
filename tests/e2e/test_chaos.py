"""A minute of the bench `chaos`: everything is killed at random while calls come and go."""

import os
import sys
from types import SimpleNamespace

from bed import check
from bed.case import alone

SEED = 7
SECONDS = 60

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "perf"))


@alone
def case_a_minute(build):
    """No call that its records don't explain."""
    import chaos  # of tests/perf
    result = chaos.run(SimpleNamespace(build=build, seed=SEED, seconds=SECONDS), print)
    check.equal("unexplained", result["unexplained"], 0)
    if result["answered"] < SECONDS or sum(result["kills"].values()) < 10:
        raise AssertionError(f"not much happened: {result}")
