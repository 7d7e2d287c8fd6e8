#!/usr/bin/python3
"""Benchmarks: `./run bench NAME [--json]`. Without a name it lists them.

With --json the last line of the output is one JSON object: the figures, `bench` and `machine`. The exit status
says whether a figure could be taken; `reached` says whether it is what was aimed at (docs/performance.md)."""

import argparse
import json
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "e2e")]

import chaos  # noqa: E402
import kill  # noqa: E402
import packets  # noqa: E402
import scene  # noqa: E402
from bed import owner, region  # noqa: E402
from bed.process import Failure  # noqa: E402

# Name: (function, help)
BENCHES = {
    "kill-control": (kill.control, "the control plane killed under relaying calls: losses, time until it is back"),
    "kill-dataplane": (kill.dataplane, "the dataplane killed under relaying calls: silence per stream, losses"),
    "relay": (packets.relay, "legs that hear each other, pcap to null, against DPDK's testpmd on the same core"),
    "play": (packets.play, "legs that are played to, to null: free running, and how late when paced"),
    "control": (packets.control, "commands that are carried out while a million packets a second are relayed"),
    "scale": (packets.scale, "relay on one worker and on two"),
    "memory": (packets.memory, "bytes for a leg in the region and the dataplane's process"),
    "chaos": (chaos.run, "calls come and go while everything is killed at random: is any record unexplained?"),
}
NICE = -10  # other work on the machine is not what is measured


def say(text):
    print(text, flush=True)


def show(result):
    for name, value in result.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {one}" for key, one in value.items())
        say(f"{name:>22}  {value}")


def list_benches():
    say("usage: ./run bench NAME [--json] [options]")
    for name, (_, text) in BENCHES.items():
        say(f"  {name:<15} {text}")


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description="Benchmarks.")
    parser.add_argument("name", nargs="?", choices=list(BENCHES))
    parser.add_argument("--json", action="store_true", help="the last line is a JSON object")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--seed", type=int, default=kill.SEED)
    parser.add_argument("--calls", type=int, default=500, help="kill-*: calls at a time")
    parser.add_argument("--kills", type=int, default=kill.KILLS, help="kill-*: how often")
    parser.add_argument("--seconds", type=float, default=3600, help="chaos: how long")
    parser.add_argument("--sizes", type=int, nargs="+", help="relay, play: how many legs")
    parser.add_argument("--checksum", choices=list(packets.CHECKSUMS), default="full",
                        help="relay, scale: media.udp_checksum")
    options = parser.parse_args()
    options.sizes = options.sizes or ([10_000, 200_000] if options.name == "play" else [1000, 100_000])
    if not options.name:
        list_benches()
        return 0
    options.build = os.path.abspath(options.build)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    owner.sweep()
    result = {"bench": options.name, "machine": scene.machine()}
    try:
        os.nice(NICE)
        region.require()
        result.update(BENCHES[options.name][0](options, say))
    except Failure as failure:
        say(f"bench {options.name}: {failure}")
        return 1
    show(result)
    if options.json:
        say(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
