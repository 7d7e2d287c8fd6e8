#!/usr/bin/python3
"""The dataplane's telemetry, asked by DPDK's own client: what it says is what the region says."""

import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bed.dataplane import ALICE, BOB, GATEWAY, PORT_MIN, Bench, expect  # noqa: E402
from bed.process import Failure  # noqa: E402
from dataplane_ports import A, B, join_pair, open_pair  # noqa: E402

CLIENT = "dpdk-telemetry.py"


def ask(bench, *commands):
    """One answer for each command: what stands under its name."""
    done = subprocess.run([CLIENT, "-f", bench.region_name], input="\n".join(commands) + "\nquit\n",
                          capture_output=True, text=True, timeout=30, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(answers) < len(commands):
        raise Failure(f"{CLIENT}: {done.stdout} {done.stderr}")
    return [answer[command.split(",")[0]] for command, answer in
            zip(commands, answers[-len(commands):])]


def check_answers(bench):
    alice, bob = open_pair(bench)
    join_pair(bench)
    alice.talk(A, 20)
    alice.socket.sendto(b"\x80" + b"\0" * 171, (GATEWAY, PORT_MIN + 2 * 500))
    bench.driver.settled()
    info, workers, worker, drops, meters, ports, port, legs, leg, heard = ask(
        bench, "/tollgate/info", "/tollgate/workers", "/tollgate/worker,0", "/tollgate/drops", "/tollgate/meters",
        "/tollgate/ports", "/tollgate/port,0", "/tollgate/legs", f"/tollgate/leg,{A}", f"/tollgate/leg,{B}")
    stats = bench.driver.one("stats", 0)
    expect("workers", (info["workers"], workers), (1, [0]))
    expect("legs in the region", info["legs"], 1000)
    expect("legs that are open", (worker["legs_open"], legs), (2, [A, B]))
    expect("dropped for an unknown port", (drops["unknown_port"], stats["drop_unknown_port"]), (1, 1))
    expect("all other drops", sum(drops.values()), 1)
    expect("packets", (meters["rx_packets"], meters["relayed_packets"]), (20, 20))
    expect("ports", (ports, port["interface"], port["vlan"]), ([0], "media0", 0))
    expect("alice's leg", (leg["local"], leg["remote"], leg["hears"], leg["rx_packets"], leg["forwarded_packets"]),
           (f"{GATEWAY}:{PORT_MIN + 2 * A}", f"{ALICE}:4000", "relay", 20, 20))
    expect("bob's leg", (heard["remote"], heard["rx_packets"]), (f"{BOB}:4000", 0))


def check_wrong_questions(bench):
    """No number, none of ours, and hostile ones: an answer without content each, and the dataplane goes on."""
    for question in ("/tollgate/worker", "/tollgate/worker,1", "/tollgate/worker,-1", "/tollgate/leg,1000",
                     "/tollgate/leg,99999999999999999999", "/tollgate/leg,0x0", "/tollgate/leg,%n%n",
                     "/tollgate/drops,7"):
        expect(f"answer to {question}", ask(bench, question), [None])
    expect("legs afterwards", ask(bench, "/tollgate/legs"), [[A, B]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    with Bench(parser.parse_args().build, "af_packet") as bench:
        bench.start()
        check_answers(bench)
        check_wrong_questions(bench)
    print("telemetry: ok")


if __name__ == "__main__":
    main()
