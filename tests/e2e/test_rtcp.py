"""Reports of the gateway and of far ends (RFC 3550 section 6), and what the records make of them."""

import contextlib

from bed import check, network, rtcp, rtp, scenario as sip
from bed.case import main
from bed.conductor import media
from bed.process import Failure, wait_until
from test_ipv6 import both
from test_relay import CALLS, IS_CALLED, dial_at_once, talk

# Reports ten times as often as RFC 3550 has them, so that a call of some seconds has several.
OFTEN = {"media": {"rtcp_interval_ms": 500}}


def reports(world, host, port, gateway=network.GATEWAY):
    """What tshark reads of the gateway's RTCP at that host: all of it well formed, under one name and SSRC."""
    found = rtcp.dissect(world.captured(host), gateway, port)
    if not found:
        raise Failure(f"no RTCP of the gateway at the {host}")
    faults = [report for report in found if report["malformed"] or set(report["check"]) != {"1"}]
    check.equal(f"malformed RTCP at the {host}", faults, [])
    check.equal(f"names of the gateway at the {host}", len({name for r in found for name in r["name"]}), 1)
    check.equal(f"SSRCs of the gateway's reports at the {host}", len({r["ssrc"][0] for r in found}), 1)
    return found


def check_senders(found, stream):
    """Counts and timestamps of sender reports, against the RTP in the same capture."""
    for report in (r for r in found if r["types"][0] == str(rtcp.SR)):
        at = float(report["time"][0])
        sent = [packet for packet in stream.packets if packet.time <= at]
        counted = int(report["packets"][0])
        if not abs(counted - len(sent)) <= 2:
            raise Failure(f"an SR counts {counted} packets where {len(sent)} were sent")
        check.equal("octets of an SR", int(report["octets"][0]), counted * rtp.FRAME_SAMPLES)
        last = sent[-1]
        ahead = (int(report["ts"][0]) - last.timestamp) / rtp.CLOCK - (at - last.time)
        if abs(ahead) > 0.030:
            raise Failure(f"an SR's timestamp is {ahead:.3f} s off the stream's")
        ntp = int(report["ntp"][0]) - 2208988800
        if abs(ntp - at) > 1.1:
            raise Failure(f"an SR's NTP time is {ntp - at:.1f} s off the clock")


def distances(found):
    times = [float(report["time"][0]) for report in found if str(rtcp.BYE) not in report["types"]]
    return [two - one for one, two in zip(times, times[1:])]


@main
def case_rtcp(world):
    """Both ends get reports and BYE, and what they report is in the records."""
    dial_at_once(world, OFTEN)
    world.capture()
    phones = world.phone(world.network.caller), world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    with contextlib.ExitStack() as stack:
        # 50 ms on the way to the caller, and 7 packets lost; to the callee nothing of that kind.
        far = [stack.enter_context(rtcp.FarEnd(host, phone.port + 1, phone.ssrc, **more))
               for host, phone, more in ((world.network.caller, phones[0],
                                          {"lost": 7, "jitter": 40, "holds": 0.050, "honest": False}),
                                         (world.network.callee, phones[1], {"holds": 0.050}))]
        talk(phones, remotes, 200)
        for end in far:
            end.wait_answers(3)
        live = wait_until("the caller's losses are shown", lambda: [
            leg for leg in world.gateway.tool.json("calls") if leg["far_lost_packets"] == 7])
        check.equal("direction of the leg with losses", [leg["direction"] for leg in live], ["in"])
        calling.tell(answered)
        calling.finish()
        called.finish()
        for end in far:
            end.wait_bye()
    streams = world.streams("caller"), world.streams("callee")
    for host, address, stream, remote in (("caller", network.CALLER, streams[0], remotes[0]),
                                          ("callee", network.CALLEE, streams[1], remotes[1])):
        found = reports(world, host, remote[1] + 1)
        check_senders(found, check.one_voice(stream, address))
        # 0.5 s, spread from 0.205 to 0.616 s.
        wrong = [gap for gap in distances(found) if not 0.200 < gap < 0.750]
        check.equal(f"distances between reports to the {host} that are no interval", wrong, [])
        check.equal("losses that the gateway reports", {lost for r in found for lost in r["lost"]}, {"0"})
    rows = world.rows()
    caller, callee = rows.legs()
    check.equal("packets that the caller lost", (caller["far_lost_packets"], caller["far_jitter_us"]), (7, 5000))
    check.equal("packets that the callee lost", (callee["far_lost_packets"], callee["far_jitter_us"]), (0, 0))
    if not 50000 <= caller["round_trip_us"] < 150000 or not callee["round_trip_us"] < 40000:
        raise Failure(f"round trips of {caller['round_trip_us']} and {callee['round_trip_us']} us")
    if not caller["mos_to"] < callee["mos_to"] <= 4.41 or not 4.2 < caller["mos_from"] <= 4.41:
        raise Failure(f"opinion scores: {caller['mos_from']}, {caller['mos_to']}, {callee['mos_to']}")
    check.packets(rows.stints(), *streams)  # RTCP is in no count of media
    world.audit()


def case_rtcp_of_both_families(world):
    """An IPv4 end and an IPv6 end: each gets reports and BYE in its own family, and is believed."""
    both(world, OFTEN["media"])
    world.capture()
    ends = ((world.network.caller, network.CALLER, network.GATEWAY),
            (world.network.callee, network.CALLEE6, network.GATEWAY6))
    phones = [world.phone(host, address=address) for host, address, _ in ends]
    called = world.callee(*IS_CALLED, sip.ended(), address=network.CALLEE6)
    calling = world.caller(*CALLS, sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    with contextlib.ExitStack() as stack:
        far = [stack.enter_context(rtcp.FarEnd(host, phone.port + 1, phone.ssrc, lost=lost, address=address))
               for (host, address, _), phone, lost in zip(ends, phones, (3, 5))]
        talk(phones, remotes, 150)
        for end in far:
            end.wait_answers(2)
        wait_until("the losses of both are shown", lambda: sorted(
            leg["far_lost_packets"] or 0 for leg in world.gateway.tool.json("calls")) == [3, 5])
        calling.tell(answered)
        calling.finish()
        called.finish()
        for end in far:
            end.wait_bye()
    for name, (_, address, gateway), remote in zip(("caller", "callee"), ends, remotes):
        stream = rtp.only(world.streams(name), gateway, address)
        check_senders(reports(world, name, remote[1] + 1, gateway), stream)
    check.equal("packets that they lost", [leg["far_lost_packets"] for leg in world.rows().legs()], [3, 5])
    world.audit()


def case_rtcp_on_one_port(world):
    """A caller that offers a=rtcp-mux gets it, and VoIP metrics where it asks for them."""
    dial_at_once(world, OFTEN)
    world.capture(world.network.caller)
    phone = world.phone(world.network.caller)
    other = world.phone(world.network.callee)
    called = world.callee(*IS_CALLED, sip.ended())
    offer = sip.sdp() + "a=rtcp-mux\na=rtcp-xr:voip-metrics\n"
    calling = world.caller(sip.invite(offer), sip.answered(), sip.ack(), sip.report("answered", media=True),
                           sip.wait(), sip.bye())
    answered = calling.wait("answered")
    remotes = media(answered), media(called.wait("answered"))
    talk((phone, other), remotes, 100)
    ssrc, = (leg["tx_ssrc"] for leg in world.gateway.tool.json("calls") if leg["direction"] == "in")
    phone.send_raw(remotes[0], rtcp.receiver_report(phone.ssrc, ssrc, lost=3))
    wait_until("the report is taken", lambda: [
        leg for leg in world.gateway.tool.json("calls") if leg["far_lost_packets"] == 3])
    calling.tell(answered)
    calling.finish()
    called.finish()
    found = reports(world, "caller", remotes[0][1])
    check.equal("reports with VoIP metrics", any("7" in report["xr"] for report in found), True)
    check.equal("BYE at the end", found[-1]["types"][-1], str(rtcp.BYE))
    with open(world.captured("caller"), "rb") as file:
        check.equal("descriptions with a=rtcp-mux: offer and answer", file.read().count(b"a=rtcp-mux\r\n"), 2)
    check.equal("packets that the caller lost", world.rows().legs()[0]["far_lost_packets"], 3)
    world.audit()
