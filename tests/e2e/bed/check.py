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


REPLACED = "the dataplane was replaced"


def replaced_once(rows, caller_streams, callee_streams=None):
    """All that was open when the dataplane was replaced says so, and the captures are within what it says."""
    for row in rows.rows:
        what = f"the {row['type']} row of {row['module'] or row['called']}"
        if not (row["partial"] or "").startswith(REPLACED) or row["outages"] != 1:
            raise Failure(f"{what} says {row['outages']} outages and \"{row['partial']}\"")
        if not 0 < row["outage_ms"] < 5000:
            raise Failure(f"{what}: nobody was there for {row['outage_ms']} ms")
    for leg in rows.legs():
        caller = leg["direction"] == "in"
        streams, host = (caller_streams, network.CALLER) if caller else (callee_streams, network.CALLEE)
        if streams is None:
            continue
        beyond = rtp.count(streams, network.GATEWAY, host) - leg["to_packets"]
        if not 0 <= beyond <= leg["uncertain_packets"]:
            raise Failure(f"{host} heard {beyond} packets more than the {leg['to_packets']} of its leg, which says "
                          f"that {leg['uncertain_packets']} are uncertain")


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
