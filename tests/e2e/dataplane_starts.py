#!/usr/bin/python3
"""The dataplane's beginning and end: crash and resumption, what a predecessor left, what it says when it can't
start."""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bed import region, rtp  # noqa: E402
from bed.dataplane import ALICE, BOB, GATEWAY, Bench, drops, expect  # noqa: E402
from bed.process import Failure, wait_until  # noqa: E402
from dataplane_ports import A, B, audit, join_pair, open_pair, ping  # noqa: E402


def case_crash(build):
    """Killed in the middle of a relay and a prompt: both go on within a second, in the same streams."""
    for kind in ("af_xdp", "af_packet", "dpdk"):
        with Bench(build, kind) as bench:
            bench.start()
            alice, bob = open_pair(bench)
            join_pair(bench)
            bench.driver.ask("item", 0, 1, 100, 100, 2, 0)
            bench.driver.ask("program", 12, 1, ALICE, 4200)
            bench.driver.settled()
            bench.wait_next_hops(12)
            capture = bench.capture()
            alice.talk(A, 25)
            bench.driver.ask("play", 12, 1, 0, 1, 7)
            time.sleep(0.2)
            bench.kill()
            begin = time.monotonic()
            bench.driver.ask("stint", A, 1, 2)  # waits in the ring meanwhile
            alice.send(A)
            bench.start(name="again")
            gone = time.monotonic() - begin
            bench.wait_next_hops(A, B, 12)
            if kind == "af_xdp":
                ping(bench)
            alice.talk(A, 25)
            wait_until("the play is over", lambda: bench.driver.one("egress", 12)["play_done"] == 7)
            found = rtp.streams(capture.stop())
            stream = rtp.only(found, GATEWAY, BOB)
            expect(f"{kind}: packets that bob heard", len(stream), 50)
            # What arrived meanwhile is lost to him; his stream goes on without a gap, by the clock.
            expect(f"{kind}: faults of his stream", stream.faults(), [])
            expect(f"{kind}: a marker after the restart", stream.packets[25].marker, True)
            prompt = rtp.only(found, GATEWAY, ALICE)
            expect(f"{kind}: gaps in the prompt", prompt.gaps(), [])
            expect(f"{kind}: frames of the prompt", [p.payload[0] for p in prompt.packets], list(range(100)))
            records = [r for r in bench.driver.records() if r["kind"] == 1]
            expect(f"{kind}: stint of the first record", records[0]["stint"], 1)
            audit(bench)
            if gone > 5:
                raise Failure(f"{kind}: the start took {gone:.1f} s")


def case_nobody_answers_for_media_while_it_is_dead(build):
    for kind in ("af_xdp", "af_packet"):
        with Bench(build, kind) as bench:
            bench.start()
            bench.kill()
            sender = bench.far.socket()
            sender.connect((GATEWAY, 20000))
            for _ in range(4):
                sender.send(b"\x80" + b"\0" * 171)  # an answer would raise ConnectionRefusedError
                time.sleep(0.05)
            ping(bench)


def case_a_clean_end_leaves_nothing(build):
    for kind in ("af_xdp", "af_packet"):
        with Bench(build, kind) as bench:
            bench.start()
            bench.stop()
            link = bench.gateway.call("ip", "-d", "link", "show", "dev", "media0")
            if "xdp" in link.replace("tollgate", ""):
                raise Failure(f"{kind}: an XDP program is left: {link}")
            filters = bench.gateway.call("tc", "filter", "show", "dev", "media0", "ingress")
            expect(f"{kind}: filters that are left", filters.strip(), "")
            if not os.path.exists(os.path.join(region.HUGEPAGES, bench.region_name)):
                raise Failure("the region is gone")
            bench.start(name="again")
            bench.dataplane.wait_for_line("created=0")


def failed_start(bench, wanted, name="refused"):
    bench.start(wait=False, name=name)
    status = bench.dataplane.wait(20)
    said = "\n".join(line for line in bench.dataplane.lines() if "event=not-started" in line)
    bench.dataplane = None
    expect("exit status", status, 1)
    for word in wanted:
        if word not in said:
            raise Failure(f"the reason does not say \"{word}\": {said}")


def case_reasons_not_to_start(build):
    with Bench(build, "af_xdp", changes={"media": {"ports": [{"kind": "af_xdp", "interface": "nosuch"}]}}) as bench:
        failed_start(bench, ["nosuch does not exist", "ip link show"])
    with Bench(build, "af_xdp", changes={"eal": {"memory_mib": 500000}}) as bench:
        failed_start(bench, ["huge pages", "sysctl -w vm.nr_hugepages="])
    with Bench(build, "af_xdp", workers=2, changes={"eal": {"memory_mib": 32}}) as bench:
        failed_start(bench, ["eal.memory_mib"])
    with Bench(build, "af_xdp", changes={"media": {"workers": 2}, "eal": {"memory_mib": 128}}) as bench:
        failed_start(bench, ["lcores"])
    with Bench(build, "af_xdp", workers=2) as bench:
        failed_start(bench, ["media0 has 1 combined queues", "ethtool -L media0 combined 2"])
    with Bench(build, "dpdk", changes={"media": {"ports": [
            {"kind": "dpdk", "interface": "wire0", "device": "net_null0"}]}}) as bench:
        failed_start(bench, ["wire0", "no tap"])
    with Bench(build, "dpdk", changes={"media": {"ports": [
            {"kind": "dpdk", "interface": "tg0", "device": "net_nosuch0"}]}}) as bench:
        failed_start(bench, ["net_nosuch0"])


def case_another_one_is_there(build):
    with Bench(build, "af_xdp") as bench:
        bench.start()
        first = bench.dataplane
        failed_start(bench, ["stop it first"], "same-region")
        other = bench.settings["region"]["name"] + "-other"
        path, bench.settings_path = bench.settings_path, os.path.join(bench.directory, "other.conf")
        with open(path, encoding="utf-8") as one, open(bench.settings_path, "w", encoding="utf-8") as two:
            two.write(one.read().replace(bench.region_name, other))
        failed_start(bench, ["media0", "another tollgate-dataplane"], "same-interface")
        region.remove(other)
        bench.dataplane, bench.settings_path = first, path
        ping(bench)
        if "xdp" not in bench.gateway.call("ip", "-d", "link", "show", "dev", "media0"):
            raise Failure("the second one has taken the first one's program off")


def case_without_huge_pages(build):
    for kind in ("af_xdp", "af_packet"):
        with Bench(build, kind, region_dir="/nonexistent/huge") as bench:
            bench.start()
            bench.dataplane.wait_for_line("event=no-huge-pages .*instead=/dev/shm")
            alice, bob = open_pair(bench)
            join_pair(bench)
            alice.talk(A, 20, 0.002)
            wait_until("bob has heard all", lambda: bench.driver.one("ingress", A)["forwarded_packets"] == 20)
            audit(bench)


def case_spin(build):
    with Bench(build, "af_packet", idle="spin") as bench:
        bench.start()
        alice, bob = open_pair(bench)
        join_pair(bench)
        alice.talk(A, 20)
        wait_until("bob has heard all", lambda: bench.driver.one("ingress", A)["forwarded_packets"] == 20)


def case_vlan(build):
    """Only frames of the port's VLAN are media; others stay with the kernel."""
    for kind in ("af_xdp", "dpdk"):
        changes = {"media": {"ports": [{"kind": "af_xdp", "interface": "media0", "vlan": 100}]}}
        if kind == "dpdk":
            changes = {"media": {"ports": [{"kind": "dpdk", "interface": "tg0", "vlan": 100,
                                            "device": "net_af_packet7,iface=wire0"}]}}
        with Bench(build, kind, changes=changes) as bench:
            bench.start()
            import socket
            import struct
            with bench.far.entered():
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                raw.bind(("eth0", 0))
            udp = struct.pack("!HHHH", 4000, 20000, 8 + 12, 0) + b"\x80\0" + b"\0" * 10
            packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
            packet += socket.inet_aton(ALICE) + socket.inet_aton(GATEWAY) + udp
            for tag in (b"", struct.pack("!HH", 0x8100, 100), struct.pack("!HH", 0x8100, 101)):
                raw.send(b"\xff" * 6 + b"\2" + b"\0" * 5 + tag + b"\x08\0" + packet + b"\0" * 20)
            wait_until("the tagged one is counted", lambda: drops(bench.driver.one("stats", 0)))
            time.sleep(0.1)
            expect(f"{kind}: drops", drops(bench.driver.one("stats", 0)), {"drop_unknown_port": 1})
            raw.close()


def case_several_workers(build):
    """Frames arrive anywhere, and reach the worker that owns their leg."""
    for kind, workers in (("af_packet", 3), ("dpdk", 3)):
        with Bench(build, kind, workers=workers) as bench:
            bench.start()
            if kind == "dpdk":  # a driver without flow rules
                bench.dataplane.wait_for_line("event=steering port=0 by=rss ")
            driver, ends = bench.driver, []
            per = 1000 // workers
            for w in range(workers):
                one, two = w * per + 5, w * per + 6
                ends.append((bench.far_end(ALICE, 4000 + 2 * w), bench.far_end(BOB, 4000 + 2 * w), one, two, w))
                driver.ask("program", one, 1, ALICE, 4000 + 2 * w)
                driver.ask("program", two, 1, BOB, 4000 + 2 * w)
                driver.ask("relay", one, 1, two, 1)
                driver.ask("relay", two, 1, one, 1)
                driver.settled(w)
                bench.wait_next_hops(one, two)
            for _ in range(50):
                for alice, bob, one, two, _ in ends:
                    alice.send(one)
                    bob.send(two)
                time.sleep(0.004)
            for alice, bob, one, two, w in ends:
                wait_until(f"{kind}: all of worker {w} is relayed", lambda: audit(bench, w)["relayed_packets"] == 100)
                expect(f"{kind}: packets at bob", len(bob.waiting()), 50)
                expect(f"{kind}: packets at alice", len(alice.waiting()), 50)
                driver.ask("item", 0, 1, 10, 10, 2, 0)
                driver.ask("play", one, 1, 0, 1, 9)
                wait_until("the play is over", lambda: driver.one("egress", one)["play_done"] == 9)
            stats = [driver.one("stats", w) for w in range(workers)]
            expect(f"{kind}: drops", [drops(s) for s in stats], [{}] * workers)
            expect(f"{kind}: legs", [s["legs_open"] for s in stats], [2] * workers)
            ping(bench)


def case_routes_and_neighbours_are_followed(build):
    with Bench(build, "af_xdp") as bench:
        bench.start()
        driver = bench.driver
        # A network behind alice's host, and later behind nobody.
        bench.far.call("ip", "address", "add", "198.18.1.5/32", "dev", "lo")
        bench.gateway.call("ip", "route", "add", "198.18.1.0/24", "via", ALICE)
        far = bench.far_end("198.18.1.5")
        driver.ask("program", A, 1, "198.18.1.5", 4000)
        driver.ask("relay", A, 1, A, 1)  # an echo
        driver.settled()
        bench.wait_next_hops(A)
        link = driver.one("link", A)["link"]
        far.talk(A, 10)
        wait_until("the echo", lambda: driver.one("ingress", A)["forwarded_packets"] == 10)
        expect("packets that came back", len(far.waiting()), 10)
        bench.far.call("ip", "link", "set", "eth0", "address", "02:00:00:00:00:77")
        bench.gateway.call("ip", "neigh", "replace", ALICE, "lladdr", "02:00:00:00:00:77", "dev", "media0")
        wait_until("the new address is known", lambda: driver.one("link", A)["link"] not in (0, link), 5)
        far.talk(A, 10)
        wait_until("the echo", lambda: driver.one("ingress", A)["forwarded_packets"] == 20)
        expect("packets that came back", len(far.waiting()), 10)
        bench.gateway.call("ip", "route", "del", "198.18.1.0/24")
        wait_until("the route is gone", lambda: driver.one("link", A)["link"] == 0, 5)
        far.talk(A, 10, 0.001)
        wait_until("packets are dropped", lambda: driver.one("stats", 0)["drop_no_next_hop"] == 10, 5)
        audit(bench)
        # An address that nobody has: a bounded wait, a reason, and no harm to others.
        driver.ask("program", B, 1, "198.18.0.77", 4000)
        driver.ask("item", 0, 1, 10, 10, 2, 0)
        driver.ask("play", B, 1, 0, 1, 3)
        wait_until("the play gives up", lambda: driver.one("egress", B)["play_done"] == 3, 5)
        audit(bench)


def case_it_shows_that_it_lives(build):
    with Bench(build, "af_packet") as bench:
        bench.start()
        for _ in range(5):
            time.sleep(0.1)
            age = bench.driver.one("beat")["age_ms"]
            if not -5 <= age < 400:
                raise Failure(f"the heartbeat is {age} ms old")
        bench.stop()
        expect("alive_ns after the end", bench.driver.one("stats", 0)["alive_ns"], 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for name, case in list(globals().items()):
        if name.startswith("case_") and options.only in name:
            case(options.build)
            print(f"{name.removeprefix('case_')}: ok", flush=True)


if __name__ == "__main__":
    main()
