#!/usr/bin/python3
"""The dataplane's telemetry, asked by DPDK's own client: what it says is what the region says. And captures from
inside, asked for by the command line."""

import argparse
import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bed.dataplane import ALICE, BOB, GATEWAY, PORT_MIN, Bench, expect  # noqa: E402
from bed.process import Failure, wait_until  # noqa: E402
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
    return alice, bob


def check_wrong_questions(bench):
    """No number, none of ours, and hostile ones: an answer without content each, and the dataplane goes on."""
    for question in ("/tollgate/worker", "/tollgate/worker,1", "/tollgate/worker,-1", "/tollgate/leg,1000",
                     "/tollgate/leg,99999999999999999999", "/tollgate/leg,0x0", "/tollgate/leg,%n%n",
                     "/tollgate/drops,7"):
        expect(f"answer to {question}", ask(bench, question), [None])
    expect("legs afterwards", ask(bench, "/tollgate/legs"), [[A, B]])


def tollgate(bench, *words, status=0):
    """What `tollgate` says in JSON; or, where it is to fail, its error."""
    done = subprocess.run([os.path.join(bench.build, "tools/tollgate"), "--settings", bench.settings_path, "--json", *words],
                          capture_output=True, text=True, timeout=30, check=False)
    expect(f"exit status of {words}: {done.stdout}{done.stderr}", done.returncode, status)
    return json.loads(done.stdout) if status == 0 else done.stderr


def frames(path, fields, only="frame"):
    """Rows of a capture's fields, by tshark."""
    options = [option for field in fields for option in ("-e", field)]
    said = subprocess.run(["tshark", "-r", path, "-d", "udp.port==4000,rtp", "-Y", only, "-T", "fields", *options],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    return [tuple(line.split("\t")) for line in said.splitlines()]


def check_leg_capture(bench, alice, bob):
    """Both directions of one leg, as they were on the wire, and nothing of the other's."""
    file = tollgate(bench, "capture", "leg", str(A))["file"]
    expect_error(tollgate(bench, "capture", "drops", status=1), "stop it first")
    alice.talk(A, 20)
    bob.talk(B, 10)
    alice.socket.sendto(b"\x80" + b"\0" * 171, (GATEWAY, PORT_MIN + 2 * 500))
    wait_until("all are written", lambda: tollgate(bench, "capture")["frames"] == 30)
    ended = tollgate(bench, "capture", "stop")
    expect("the capture's end", (ended["file"], ended["running"], ended["frames"], ended["lost"]), (file, 0, 30, 0))
    expect("who may read it", stat.S_IMODE(os.stat(file).st_mode), 0o600)
    found = frames(file, ("ip.src", "ip.dst", "udp.srcport", "udp.dstport"))
    here, there = str(PORT_MIN + 2 * A), "4000"
    expect("frames from alice", found.count((ALICE, GATEWAY, there, here)), 20)
    expect("frames to alice", found.count((GATEWAY, ALICE, here, there)), 10)
    expect("all frames", len(found), 30)


def check_drop_capture(bench, alice):
    file = tollgate(bench, "capture", "drops")["file"]
    alice.talk(A, 5)
    alice.send(A, payload_type=77)
    for _ in range(3):
        alice.socket.sendto(b"\x80" + b"\0" * 171, (GATEWAY, PORT_MIN + 2 * 500))
    wait_until("all are written", lambda: tollgate(bench, "capture")["frames"] == 4)
    tollgate(bench, "capture", "stop")
    expect("dropped frames", sorted(frames(file, ("udp.dstport",))),
           sorted([(str(PORT_MIN + 2 * A),)] + 3 * [(str(PORT_MIN + 1000),)]))


def check_capture_refusals(bench):
    expect_error(tollgate(bench, "capture", "stop", status=1), "no capture runs")
    expect_error(tollgate(bench, "capture", "leg", "1000", status=1), "does not know that leg")
    for words in (("leg",), ("leg", "1,2"), ("leg", "1/../2"), ("legs",), ("drops", "1"), ("stop", "1")):
        expect_error(tollgate(bench, "capture", *words, status=2), "capture knows")
    # One that nobody ends is ended with the dataplane, and its file is whole.
    file = tollgate(bench, "capture", "leg", str(A))["file"]
    bench.stop()
    expect("frames of a leg that was silent", frames(file, ("frame.number",)), [])
    expect_error(tollgate(bench, "capture", status=1), "is tollgate-dataplane running")


def expect_error(said, wanted):
    if wanted not in said:
        raise Failure(f"the error does not say \"{wanted}\": {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    with Bench(parser.parse_args().build, "af_packet") as bench:
        bench.start()
        alice, bob = check_answers(bench)
        check_wrong_questions(bench)
        check_leg_capture(bench, alice, bob)
        check_drop_capture(bench, alice)
        check_capture_refusals(bench)
    print("telemetry: ok")


if __name__ == "__main__":
    main()
