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


def check_switching(bench, alice, bob):
    """Relay, prompt, prompt, relay: alice hears one stream; the meter ring has every packet of it."""
    driver = bench.driver
    driver.ask("item", 0, 1, 50, 50, 2, 0)
    driver.ask("item", 1, 1, 25, 25, 2, 0)
    driver.ask("events", 0)
    capture = bench.capture("switching")
    sent = bob.sent
    bob.talk(B, 25)
    driver.ask("chain")
    driver.ask("stint", A, 1, 2)
    driver.ask("play", A, 1, 0, 1, 501, "loops=1")
    driver.ask("commit")
    begin = time.monotonic()
    wait_until("the play is over", lambda: driver.one("egress", A)["play_done"] == 501)
    took = time.monotonic() - begin
    driver.ask("play", A, 1, 1, 1, 502, "loops=2", "start=5")
    wait_until("the second play is over", lambda: driver.one("egress", A)["play_done"] == 502)
    expect("stopped by a digit", driver.one("egress", A)["play_stopped"], 0)
    if not 0.9 < took < 1.3:
        raise Failure(f"50 frames took {took:.2f} s")
    time.sleep(0.3)
    driver.ask("chain")
    driver.ask("stint", A, 1, 3)
    driver.ask("relay", A, 1, B, 1)
    driver.ask("commit")
    bob.talk(B, 25)
    driver.ask("stint", A, 1, 4)
    records = [r for r in driver.records(count=3) if r["leg"] == A]
    stream = rtp.only(rtp.streams(capture.stop()), GATEWAY, ALICE)
    played = 50 + 20 + 25
    expect("packets that alice heard", len(stream), bob.sent - sent + played)
    expect("faults of her stream", stream.faults(), [])
    expect("uneven prompts", stream.spacing_faults(), [])
    # Relay; the first prompt; the relay again. The second prompt joins the first without a step.
    expect("markers", sum(p.marker for p in stream.packets), 3 if not stream.packets[0].marker else 4)
    frames = [p.payload[0] for p in stream.packets[25:25 + played]]
    expect("first prompt", frames[:50], list(range(50)))
    expect("second prompt", frames[50:], [16 + i for i in range(5, 25)] + [16 + i for i in range(25)])
    expect("packets relayed, by stint", [r["relayed_packets"] for r in records][1:], [0, 25])
    expect("packets played, by stint", [r["played_packets"] for r in records], [0, played, 0])
    for one, two in zip(records, records[1:]):
        expect("gap between stints", two["start_ns"] - one["end_ns"], 0)
    audit(bench)


def check_digits(bench, alice, bob):
    driver = bench.driver
    before = driver.one("egress", A)["digit_count"]
    driver.ask("item", 2, 1, 500, 500, 2, 0)
    driver.ask("play", A, 1, 2, 1, 601, "stop=1")
    driver.settled()
    bob.waiting()
    alice.talk(A, 5)
    alice.digit(A, 5)
    wait_until("the play is stopped", lambda: driver.one("egress", A)["play_done"] == 601)
    row = driver.one("egress", A)
    expect("stopped by a digit", row["play_stopped"], 1)
    expect("digits", row["digit_count"] - before, 1)
    alice.digit(A, 11)
    wait_until("the second digit", lambda: driver.one("egress", A)["digit_count"] - before == 2)
    expect("the digits", driver.one("egress", A)["digits"][-2:], "5#")
    time.sleep(0.05)
    heard = bob.waiting()
    expect("packets at bob, events included", len(heard), 5 + 9 + 9)
    expect("their payload types", sorted({p[1] & 0x7F for p in heard}), [0, 101])
    driver.ask("relay", A, 1, B, 1)


def check_refused_packets(bench, alice, bob):
    """What is dropped, by reason, and that the far end's kernel hears no complaint."""
    driver = bench.driver
    before = drops(driver.one("stats", 0))
    stranger = bench.far_end(ALICE, 4444)
    errors = bench.far.socket()
    for _ in range(3):
        stranger.send(A)
        stranger.send(500)  # a media port without a leg
    alice.send(A, payload_type=33)
    alice.socket.sendto(b"\x00" * 40, (GATEWAY, 20000 + 2 * A))
    alice.socket.sendto(b"\x80" * 7, (GATEWAY, 20000 + 2 * A))
    alice.socket.sendto(b"\x80\xc8" + b"\0" * 26, (GATEWAY, 20001 + 2 * A))
    wanted = {"drop_wrong_source": 3, "drop_unknown_port": 3, "drop_payload_type": 1, "drop_bad_rtp": 2,
              "drop_rtcp_ignored": 1}
    def counted():
        now = drops(driver.one("stats", 0))
        return {k: v - before.get(k, 0) for k, v in now.items() if v != before.get(k, 0)} == wanted
    wait_until("the drops are counted", counted)
    # A datagram to a port that is nobody's makes the kernel answer: the complaint comes back on the socket.
    errors.connect((GATEWAY, 9999))
    errors.settimeout(2)
    errors.send(b"x")
    try:
        errors.recv(10)
        raise Failure("somebody answered on port 9999")
    except ConnectionRefusedError:
        pass
    stranger.socket.connect((GATEWAY, 20000 + 2 * 500))
    for _ in range(5):
        stranger.socket.send(b"\x80" + b"\0" * 171)
        time.sleep(0.02)  # an answer would raise ConnectionRefusedError at the next send
    audit(bench)


def check_timeout(bench):
    driver = bench.driver
    driver.ask("program", 20, 1, ALICE, 4100, "timeout=300")
    driver.settled()
    begin = time.monotonic()
    wait_until("the media timeout", lambda: driver.one("egress", 20)["media_timeouts"] == 1)
    took = time.monotonic() - begin
    if not 0.15 < took < 0.6:
        raise Failure(f"the timeout of 300 ms struck after {took:.3f} s")
    time.sleep(0.5)
    expect("timeouts in one silence", driver.one("egress", 20)["media_timeouts"], 1)
    driver.ask("release", 20, 1)
    record = driver.records()[-1]
    expect("media timeout in the record", record["media_timeout"], 1)


def check_end(bench, alice, bob):
    """Both legs are released: the records hold everything, and the sums are those of what was sent."""
    driver = bench.driver
    total = audit(bench)
    driver.ask("chain")
    driver.ask("release", A, 1)
    driver.ask("release", B, 1)
    driver.ask("commit")
    last = driver.records(count=2)
    expect("final records", [r["final"] for r in last], [1, 1])
    expect("their moment", last[0]["end_ns"], last[1]["end_ns"])
    after = audit(bench)
    for name in ("rx_packets", "relayed_packets", "played_packets", "dropped_packets", "digits"):
        expect(f"{name} that are still open", after[name], 0)
        expect(f"{name} closed", after[f"closed_{name}"], total[f"total_{name}"])
    alice.send(A)
    wait_until("a packet for the released leg is dropped",
               lambda: driver.one("stats", 0)["drop_unknown_port"] == 3 + 5 + 1)


def run(build, kind):
    with Bench(build, kind) as bench:
        bench.start()
        try:
            ping(bench)
            alice, bob = check_relay(bench)
            check_switching(bench, alice, bob)
            check_digits(bench, alice, bob)
            check_refused_packets(bench, alice, bob)
            check_timeout(bench)
            check_end(bench, alice, bob)
            ping(bench)
        except BaseException:
            print(bench.dataplane.tail(30), bench.driver.one("stats", 0), sep="\n", file=sys.stderr)
            raise


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    for kind in [options.kind] if options.kind else KINDS:
        run(options.build, kind)
        print(f"{kind}: ok")


if __name__ == "__main__":
    main()
