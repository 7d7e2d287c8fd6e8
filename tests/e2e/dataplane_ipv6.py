#!/usr/bin/python3
"""The dataplane over IPv6 on each kind of port: relay within IPv6 and between the families, play, what is dropped
by name, the port's MTU, the kernel's share (ND, ICMPv6, TCP)."""

import argparse
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bed import pcap, rtp  # noqa: E402
from bed.dataplane import ALICE, ALICE6, BOB6, GATEWAY, GATEWAY6, LEGS, Bench, drops, expect  # noqa: E402
from bed.process import Failure, call, wait_until  # noqa: E402
from dataplane_ports import KINDS, audit, read_all  # noqa: E402

OLD = 10                  # leg of alice at her IPv4 address
NEW, OTHER = LEGS + 11, LEGS + 12  # legs of alice and bob at their IPv6 addresses
UDP_NO_CHECK6_TX = 101    # linux/udp.h
EXPEDITED = 46


def join(bench, a, b):
    bench.driver.ask("chain")
    bench.driver.ask("relay", a, 1, b, 1)
    bench.driver.ask("relay", b, 1, a, 1)
    bench.driver.ask("commit")
    bench.driver.settled()


def ping(bench):
    """The kernel answers for the media address: ND, ICMPv6 echo, TCP to a listener."""
    with bench.far.entered():
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    raw.settimeout(3)
    raw.sendto(struct.pack("!BBHHH", 128, 0, 0, 0x7467, 1) + b"tollgate", (GATEWAY6, 0))
    while (answer := raw.recv(2048))[0] != 129:
        pass
    expect("what the echo brings back", answer[8:], b"tollgate")
    raw.close()
    listener = bench.gateway.socket(socket.SOCK_STREAM, bind=(GATEWAY6, 5060))
    listener.listen()
    caller = bench.far.socket(socket.SOCK_STREAM, family=socket.AF_INET6)
    caller.settimeout(3)
    caller.connect((GATEWAY6, 5060))
    accepted, _ = listener.accept()
    accepted.sendall(b"hello" * 1000)
    expect("bytes over TCP", len(read_all(caller, 5000)), 5000)
    for one in (accepted, caller, listener):
        one.close()


def talk(bench, one, one_leg, two, two_leg, name):
    """Both say 50 packets; each hears all of the other as one stream, and its kernel takes them."""
    capture = bench.capture(name)
    said = one.sent, two.sent
    one.waiting()
    two.waiting()
    for _ in range(50):
        one.send(one_leg)
        two.send(two_leg)
        time.sleep(0.005)
    wait_until("all are relayed", lambda: bench.driver.one("ingress", one_leg)["forwarded_packets"] >= 50
               and bench.driver.one("ingress", two_leg)["forwarded_packets"] >= 50)
    time.sleep(0.1)
    path = capture.stop()
    found = rtp.streams(path)
    for listener, speaker, before in ((two, one, said[0]), (one, two, said[1])):
        gateway = GATEWAY6 if ":" in listener.address else GATEWAY
        stream = rtp.only(found, gateway, listener.address)
        expect(f"packets relayed to {listener.address}", len(stream), speaker.sent - before)
        expect("its faults", stream.gaps(), [])
        expect("datagrams that its kernel took", len(listener.waiting()), speaker.sent - before)
    return path


def traffic_classes(path, target):
    """DSCPs of the IPv6 frames to an address."""
    wanted = socket.inet_pton(socket.AF_INET6, target)
    return {(frame[14] & 0x0F) << 2 | frame[15] >> 6 for _, frame in pcap.frames(path)
            if frame[12:14] == b"\x86\xdd" and frame[38:54] == wanted and frame[20] == 17}


def check_relay(bench):
    driver = bench.driver
    old, new, other = bench.far_end(ALICE), bench.far_end(ALICE6), bench.far_end(BOB6, 4010)
    driver.ask("program", OLD, 1, ALICE, 4000)
    driver.ask("program", NEW, 1, ALICE6, 4000)
    driver.ask("program", OTHER, 1, BOB6, 4010, "dscp=34")
    driver.settled()
    bench.wait_next_hops(OLD, NEW, OTHER)
    join(bench, NEW, OTHER)
    path = talk(bench, new, NEW, other, OTHER, "within")
    expect("traffic class to alice", traffic_classes(path, ALICE6), {EXPEDITED})
    expect("traffic class to bob", traffic_classes(path, BOB6), {34})
    join(bench, OLD, OTHER)
    talk(bench, old, OLD, other, OTHER, "between")
    counts = audit(bench)
    sent = old.sent + new.sent + other.sent
    expect("packets received", counts["rx_packets"], sent)
    expect("packets relayed", counts["relayed_packets"], sent)
    expect("drops", drops(driver.one("stats", 0)), {})
    return old, new, other


def check_play(bench, other):
    driver = bench.driver
    driver.ask("item", 0, 1, 50, 50, 2, 0)
    other.waiting()
    capture = bench.capture("play")
    driver.ask("play", OTHER, 1, 0, 1, 501, "loops=1")
    wait_until("the play is over", lambda: driver.one("egress", OTHER)["play_done"] == 501)
    time.sleep(0.1)
    stream = rtp.only(rtp.streams(capture.stop()), GATEWAY6, BOB6)
    expect("frames that bob heard", [p.payload[0] for p in stream.packets], list(range(50)))
    expect("faults of his stream", stream.faults(), [])
    expect("datagrams that his kernel took", len(other.waiting()), 50)
    join(bench, OLD, OTHER)


def check_digits(bench, other):
    before = bench.driver.one("egress", OTHER)["digit_count"]
    other.digit(OTHER, 7)
    wait_until("the digit", lambda: bench.driver.one("egress", OTHER)["digit_count"] == before + 1)


def changed(bench, before):
    now = drops(bench.driver.one("stats", 0))
    return {key: value - before.get(key, 0) for key, value in now.items() if value != before.get(key, 0)}


def check_refused_packets(bench, other):
    """What is dropped, by reason, and that nobody is told of it."""
    before = drops(bench.driver.one("stats", 0))
    to = (GATEWAY6, 20000 + 2 * (OTHER - LEGS))
    packet = b"\x80\0" + b"\0" * 170
    with bench.far.entered():
        for option in (socket.IPV6_DSTOPTS, socket.IPV6_HOPOPTS):
            one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            one.bind((BOB6, 4010 + option))
            one.setsockopt(socket.IPPROTO_IPV6, option, b"\0\0\1\4\0\0\0\0")
            one.sendto(packet, to)
            one.close()
        bare = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        bare.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
    bare.bind((ALICE6, 4020))
    bare.sendto(packet, to)
    stranger = bench.far_end(ALICE6, 4444)
    stranger.send(OTHER)
    stranger.send(LEGS + 500)  # a media port without a leg
    # Two fragments: the first is dropped by name, the second is the kernel's, who waits for the first in vain.
    stranger.socket.sendto(b"\x80\0" + b"\0" * 2000, to)
    # These come from other ports than bob's: of a leg that is open, the source is looked at first.
    wanted = {"drop_wrong_source": 1 + 2 + 1 + 1, "drop_unknown_port": 1}
    wait_until("the drops are counted", lambda: changed(bench, before) == wanted)
    stranger.socket.connect((GATEWAY6, 20000 + 2 * 500))
    for _ in range(5):
        stranger.socket.send(packet)
        time.sleep(0.02)  # an answer would raise ConnectionRefusedError at the next send
    before = drops(bench.driver.one("stats", 0))
    with bench.far.entered():
        other.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"\0\0\1\4\0\0\0\0")
        other.socket.sendto(packet, to)
        other.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"")
        other.socket.sendto(b"\x80\0" + b"\0" * 2000, to)
        other.socket.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
        other.socket.sendto(packet, to)
        other.socket.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 0)
    wanted = {"drop_ip_extension": 1, "drop_fragment": 1, "drop_udp_checksum": 1}
    wait_until("the far end's own drops are counted", lambda: changed(bench, before) == wanted)
    audit(bench)


def heard(bench, listener, speaker, leg, size):
    """Whether a packet of so many bytes of RTP payload comes through."""
    listener.waiting()
    before = drops(bench.driver.one("stats", 0))
    speaker.send(leg, payload=b"\x55" * size)
    wait_until("it is relayed or dropped", lambda: listener_has(listener) or changed(bench, before), 5)
    found = changed(bench, before)
    if found not in ({}, {"drop_too_big": 1}):
        raise Failure(f"a packet of {size} bytes: {found}")
    return not found


def listener_has(listener):
    listener.socket.setblocking(False)
    try:
        listener.socket.recv(1, socket.MSG_PEEK)
        return True
    except BlockingIOError:
        return False
    finally:
        listener.socket.setblocking(True)


def check_mtu(bench, old, other):
    """20 bytes more headers: what just fits as IPv4 is too big as IPv6."""
    expect("1500 bytes as IPv6", heard(bench, other, old, OLD, 1500 - 60), True)
    expect("1501 bytes as IPv6", heard(bench, other, old, OLD, 1500 - 59), False)
    expect("1500 bytes as IPv4", heard(bench, other, old, OLD, 1500 - 40), False)
    expect("from IPv6 to IPv4", heard(bench, old, other, OTHER, 1500 - 60), True)
    if bench.kind == "dpdk":
        return
    call("ip", "-n", bench.gateway.name, "link", "set", "media0", "mtu", "1400")
    bench.dataplane.wait_for_line(r"event=mtu .*mtu=1400\b", 10)
    expect("1400 bytes as IPv6", heard(bench, other, old, OLD, 1400 - 60), True)
    expect("1401 bytes as IPv6", heard(bench, other, old, OLD, 1400 - 59), False)
    call("ip", "-n", bench.gateway.name, "link", "set", "media0", "mtu", "1500")
    bench.dataplane.wait_for_line(r"event=mtu .*mtu=1500\b", 10)
    expect("1500 bytes as IPv6 again", heard(bench, other, old, OLD, 1500 - 60), True)


def check_neighbours(bench):
    """The next hop follows the kernel's neighbour while the leg is open."""
    driver, inside = bench.driver, bench.gateway.interface
    driver_link = lambda: driver.one("link", OTHER).get("link")  # noqa: E731
    before = driver_link()
    for mac in ("02:00:00:00:be:ef", None):
        if mac:
            bench.gateway.call("ip", "-6", "neigh", "replace", BOB6, "lladdr", mac, "dev", inside)
            wait_until("the new neighbour is taken", lambda: driver_link() != before)
        else:
            bench.gateway.call("ip", "-6", "neigh", "del", BOB6, "dev", inside)
            wait_until("the old one is found again", lambda: driver_link() == before)


def run(build, kind):
    with Bench(build, kind, ipv6=True) as bench:
        bench.start()
        try:
            ping(bench)
            old, _, other = check_relay(bench)
            check_play(bench, other)
            check_digits(bench, other)
            check_refused_packets(bench, other)
            check_mtu(bench, old, other)
            check_neighbours(bench)
            audit(bench)
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
