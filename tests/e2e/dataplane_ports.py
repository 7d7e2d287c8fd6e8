#!/usr/bin/python3
"""The dataplane by itself on each kind of port: relay both ways, play, digits, counting, the kernel's share."""

import argparse
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bed import rtp  # noqa: E402
from bed.dataplane import ALICE, BOB, GATEWAY, Bench, drops, expect  # noqa: E402
from bed.process import Failure, wait_until  # noqa: E402

A, B = 10, 11  # legs
KINDS = ("af_xdp", "af_packet", "dpdk")


def open_pair(bench, **options):
    words = [f"{key}={value}" for key, value in options.items()]
    alice, bob = bench.far_end(ALICE), bench.far_end(BOB)
    bench.driver.ask("program", A, 1, ALICE, 4000, *words)
    bench.driver.ask("program", B, 1, BOB, 4000, *words)
    bench.driver.settled()
    bench.wait_next_hops(A, B)
    return alice, bob


def join_pair(bench):
    bench.driver.ask("chain")
    bench.driver.ask("relay", A, 1, B, 1)
    bench.driver.ask("relay", B, 1, A, 1)
    bench.driver.ask("commit")
    bench.driver.settled()


def audit(bench, worker=0):
    """closed + open = total, for every counter."""
    snapshot = [r for r in bench.driver.settled(worker) if r["kind"] == 2][-1]
    for key, value in snapshot.items():
        if key.startswith("total_"):
            name = key.removeprefix("total_")
            expect(f"total of {name} against closed + open", value, snapshot[f"closed_{name}"] + snapshot[name])
    return snapshot


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def ping(bench):
    """The kernel answers for the media address: ARP, ICMP echo, and TCP to a listener."""
    with bench.far.entered():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    raw.settimeout(3)
    body = struct.pack("!BBHHH", 8, 0, 0, 0x7467, 1) + b"tollgate"
    raw.sendto(body[:2] + struct.pack("!H", checksum(body)) + body[4:], (GATEWAY, 0))
    answer = raw.recv(2048)
    expect("kind of the ICMP answer", answer[20], 0)
    raw.close()
    listener = bench.gateway.socket(socket.SOCK_STREAM, bind=(GATEWAY, 5060))
    listener.listen()
    caller = bench.far.socket(socket.SOCK_STREAM)
    caller.settimeout(3)
    caller.connect((GATEWAY, 5060))
    accepted, _ = listener.accept()
    accepted.sendall(b"hello" * 1000)
    expect("bytes over TCP", len(read_all(caller, 5000)), 5000)
    for one in (accepted, caller, listener):
        one.close()


def read_all(sock, count):
    found = b""
    while len(found) < count:
        found += sock.recv(count)
    return found


def check_relay(bench):
    alice, bob = open_pair(bench)
    join_pair(bench)
    capture = bench.capture()
    for i in range(100):
        alice.send(A)
        bob.send(B)
        time.sleep(0.005)
    time.sleep(0.1)
    found = rtp.streams(capture.stop())
    for source, sender, leg in ((GATEWAY, alice, B), (GATEWAY, bob, A)):
        target = BOB if leg == B else ALICE
        stream = rtp.only(found, source, target)
        expect(f"packets relayed to {target}", len(stream), sender.sent)
        expect("its faults", stream.gaps(), [])
        expect("its SSRC", stream.key.ssrc, 0x1000 + leg)
        expect("its first marker", stream.packets[0].marker, True)
        expect("its other markers", any(p.marker for p in stream.packets[1:]), False)
        steps = {(two.timestamp - one.timestamp) & 0xFFFFFFFF for one, two in zip(stream.packets, stream.packets[1:])}
        expect("its timestamp steps", steps, {160})
    # The far kernel's UDP took all of them: addresses, lengths and checksums are right.
    expect("datagrams at bob", len(bob.waiting()), alice.sent)
    expect("datagrams at alice", len(alice.waiting()), bob.sent)
    counts = audit(bench)
    expect("packets received", counts["rx_packets"], alice.sent + bob.sent)
    expect("packets relayed", counts["relayed_packets"], alice.sent + bob.sent)
    expect("octets relayed", counts["relayed_octets"], (alice.sent + bob.sent) * 172)
    expect("drops", drops(bench.driver.one("stats", 0)), {})
    return alice, bob


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    for kind in [options.kind] if options.kind else KINDS:
        with Bench(options.build, kind) as bench:
            bench.start()
            try:
                ping(bench)
                check_relay(bench)
                ping(bench)
            except BaseException:
                print(bench.dataplane.tail(30), bench.driver.one("stats", 0), sep="\n", file=sys.stderr)
                raise
        print(f"{kind}: ok")


if __name__ == "__main__":
    main()
