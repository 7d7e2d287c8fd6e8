"""What every call's capture and records must agree on."""

from bed import network, rtp
from bed.process import Failure


def equal(what, found, wanted):
    if found != wanted:
        raise Failure(f"{what}: {found}, not {wanted}")


def none(what, faults):
    if faults:
        raise Failure(f"{what}: {'; '.join(map(str, faults[:5]))}" + (f" ({len(faults)} in all)" if faults[5:] else ""))


def one_voice(streams, host_address, spacing=True):
    """A far end heard one well-formed stream of the gateway. Returns it."""
    stream = rtp.only(streams, network.GATEWAY, host_address)
    none(f"what {host_address} heard", stream.faults() + (stream.spacing_faults() if spacing else []))
    return stream


def packets(stint_rows, caller_streams, callee_streams=None):
    """The captures hold what the rows say, to the packet."""
    sums = {key: sum(row[key] or 0 for row in stint_rows) for key in
            ("to_caller_packets", "from_caller_packets", "to_callee_packets", "from_callee_packets")}
    seen = {"to_caller_packets": rtp.count(caller_streams, network.GATEWAY, network.CALLER),
            "from_caller_packets": rtp.count(caller_streams, network.CALLER, network.GATEWAY)}
    if callee_streams is not None:
        seen["to_callee_packets"] = rtp.count(callee_streams, network.GATEWAY, network.CALLEE)
        seen["from_callee_packets"] = rtp.count(callee_streams, network.CALLEE, network.GATEWAY)
    for key, count in seen.items():
        equal(f"{key} by the CDR and by the capture", sums[key], count)
    return sums


def said_in_order(heard, said_by):
    """Of two streams (what one end said, what the other heard), the second is a run of the first: nothing lost,
    repeated or changed between the first and the last packet that came through."""
    said = [packet.payload for packet in said_by.packets]
    through = [packet.payload for packet in heard.packets if packet.payload in set(said)]
    if not through:
        raise Failure("nothing of what was said came through")
    first = said.index(through[0])
    if said[first:first + len(through)] != through:
        raise Failure(f"of {len(said)} packets said, {len(through)} came through, not in one run")
    return len(through)


def stints_meet(stint_rows):
    for one, two in zip(stint_rows, stint_rows[1:]):
        equal(f"end of {one['module']}'s stint and start of {two['module']}'s", one["end_time"], two["start_time"])
