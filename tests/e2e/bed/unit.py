"""What packaging/systemd/ tells systemd to do for the planes; the supervisor of tests and `./run up` does the same."""

import os
import re

_DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "packaging", "systemd")
_SPAN = re.compile(r"^(\d+)(ms|s|min)?$")
_SECONDS = {None: 1, "ms": 0.001, "s": 1, "min": 60}


def text(plane, key):
    """The value of a key of the plane's unit; it must be there, once."""
    with open(os.path.join(_DIRECTORY, f"tollgate-{plane}.service"), encoding="utf-8") as file:
        values = [line.strip().partition("=")[2] for line in file if line.startswith(key + "=")]
    if len(values) != 1:
        raise ValueError(f"the unit of {plane} has {len(values)} lines with {key}, not one")
    return values[0]


def seconds(plane, key):
    match = _SPAN.match(text(plane, key))
    if not match:
        raise ValueError(f"{key} of {plane} is {text(plane, key)}")
    return int(match.group(1)) * _SECONDS[match.group(2)]
