#!/usr/bin/python3
"""Enforces who may include whom, so that the tree stays the architecture.

    includes.py           looks at every #include of every C file; each line that breaks a rule is printed with
                          the rule. Ends with 0 when there is none.
    includes.py --prove   breaks every rule in a tree of its own and ends with 0 when each was noticed."""

import os
import re
import sys
import tempfile

# A folder, and the folders of this project that its files may include beside itself.
MAY_INCLUDE = {
    "base": (),
    "contract": ("base",),
    "settings": ("base", "contract"),
    "dataplane": ("base", "contract", "settings"),
    "cache": ("base", "contract", "settings"),
    "controlplane": ("base", "contract", "settings"),
    "tools": ("base", "contract", "settings"),
}
# The one place where two of them meet: the process that embeds the media layer starts it.
EMBEDS = {("controlplane/main.c", "cache/service.h")}
# What tests exercise is theirs to include; the planes never meet, in a test either.
PLANES = ("dataplane", "controlplane")

# Libraries that only some folders may see: pattern of the header, folders, what the rule is for.
ONLY_IN = (
    (r"rte_(ring\w*|common|config|pause|atomic|branch_prediction|compat)\.h", ("contract", "dataplane", "tests/perf/packets"),
     "rings are the contract's; nothing else of DPDK is shared"),
    (r"rte_\w+\.h", ("dataplane", "tests/perf/packets"), "only dataplane/ sees ports and packet buffers"),
    (r"(sofia-sip/.+|su_\w+\.h|nta\w*\.h|sip\w*\.h)", ("controlplane/sip",), "only controlplane/sip/ sees Sofia-SIP"),
    (r"libconfig\.h", ("settings", "controlplane/modules"), "settings and registry are read through settings/"),
    (r"(xdp|bpf)/.+", ("dataplane",), "only dataplane/ sees AF_XDP"),
    (r"(sndfile|soxr|spandsp)\.h", ("cache",), "sound is decoded in the media layer's worker only"),
)
CODE = ("base", "contract", "settings", "dataplane", "cache", "controlplane", "tools", "tests")
_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
_COMMENT = re.compile(r"/\*.*?\*/", re.S)


def sources(root):
    for top in CODE:
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".def")):
                    yield os.path.relpath(os.path.join(directory, name), root)


def includes(path):
    """Yields (line number, quote, what is included), comments left out."""
    with open(path, encoding="utf-8") as file:
        text = _COMMENT.sub(lambda match: "\n" * match.group().count("\n"), file.read())
    for number, line in enumerate(text.splitlines(), 1):
        match = _INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def within(path, folder):
    return path.startswith(folder + "/")


def own_fault(path, included, root):
    """Includes of this project: from the root, and only along the arrows."""
    if not os.path.exists(os.path.join(root, included)):
        return "own headers are included by their path from the root"
    top, target = path.partition("/")[0], included.partition("/")[0]
    if top == "tests" or (path, included) in EMBEDS:
        return None
    if target != top and target not in MAY_INCLUDE[top]:
        allowed = ", ".join((top, *MAY_INCLUDE[top]))
        return f"{top}/ may include {allowed}"
    return None


def library_fault(path, included):
    for pattern, folders, why in ONLY_IN:
        if re.fullmatch(pattern, included):
            return None if any(within(path, folder) or _test_of(path, folder) for folder in folders) else why
    return None


def _test_of(path, folder):
    """The unit tests of a folder see what the folder sees."""
    return any(within(path, f"tests/unit/{name}") for name in (folder, folder.rpartition("/")[2]))


def planes_met(path, seen):
    met = [plane for plane in PLANES if any(within(included, plane) for included in seen)]
    return f"includes {' and '.join(met)}: planes never meet" if len(met) > 1 else None


def check(root):
    faults = []
    for path in sources(root):
        seen = []
        for number, quote, included in includes(os.path.join(root, path)):
            if quote == '"':
                seen.append(included)
                fault = own_fault(path, included, root)
            else:
                fault = library_fault(path, included)
            if fault:
                faults.append(f"{path}:{number}: {included}: {fault}")
        fault = planes_met(path, seen)
        if fault:
            faults.append(f"{path}: {fault}")
    return faults


_BROKEN = {
    "base/a.c": '#include "contract/region.h"',
    "contract/region.h": '#include "settings/settings.h"',
    "settings/settings.h": '#include "dataplane/port.h"',
    "dataplane/port.h": '#include "controlplane/sip/ua.h"',
    "dataplane/b.c": '#include "port.h"',
    "cache/c.c": "#include <rte_mbuf.h>",
    "controlplane/sip/ua.h": "#include <rte_ethdev.h>",
    "controlplane/calls/d.c": "#include <sofia-sip/nta.h>",
    "controlplane/calls/e.c": "#include <sndfile.h>",
    "tools/f.c": '  #  include "cache/c.h"',
    "cache/c.h": '#include "tools/g.h"',
    "tools/g.h": "#include <libconfig.h>",
    "tests/unit/h.c": '#include "dataplane/port.h"\n#include "controlplane/sip/ua.h"',
    "tests/unit/calls/i.c": "#include <bpf/xsk.h>",
}
_KEPT = {
    "base/k.h": "/* not an include:\n#include <rte_mbuf.h>\n*/",
    "dataplane/l.c": '#include <rte_mbuf.h>\n#include "base/k.h"\n#include "contract/region.h"',
}


def prove():
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**_BROKEN, **_KEPT}.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text + "\n")
        noticed = {fault.partition(":")[0] for fault in check(root)}
    wrong = [f"{path}: not noticed" for path in sorted(set(_BROKEN) - noticed)]
    return wrong + [f"{path}: breaks no rule" for path in sorted(noticed - set(_BROKEN))]


def main():
    if sys.argv[1:] == ["--prove"]:
        faults = prove()
    else:
        faults = check(os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")))
    print("\n".join(faults) if faults else "includes: nothing wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
