"""kill-control, kill-dataplane: one plane is killed again and again under relaying calls."""

import scene

KILLS = 20
SEED = 20260101


def _under_kills(options, say, plane, least, most):
    stage = scene.Scene(options.build, options.calls, say)
    failed = True
    try:
        say(f"placing {options.calls} calls")
        stage.place()
        before = scene.packets(stage.reports())
        say(f"all of them talk, both ways; {before['sent_packets']} packets so far, killing {plane}")
        killed = stage.kill(plane, options.kills, least, most, options.seed)
        stage.caller.wait("no request is open", lambda: stage.caller.busy() == 0, 40)
        stage.hush()
        reports = stage.reports()
        dropped = stage.dropped_on_the_way()
        ended = stage.hang_up()
        result = {"calls": options.calls, "kills": options.kills, "seed": options.seed, **scene.packets(reports),
                  "dropped_by_kernel": dropped,
                  **scene.streams(reports), **scene.records(stage, reports), "ended_by_bye": ended}
        stage.end()
        failed = False
        return result, killed, reports
    finally:
        stage.close(failed)


def control(options, say):
    """No packet and no record is lost, every call is taken up."""
    result, killed, _ = _under_kills(options, say, "control", 1.0, 4.0)
    taken = sum(sessions for _, _, sessions, _ in killed)
    result["calls_taken_up"] = taken / (options.calls * len(killed))
    result["back_ms"] = scene.spread([ms for _, ms, _, _ in killed])
    result["of_it_taking_up_ms"] = scene.spread([ms for _, _, _, ms in killed])
    result["reached"] = (result["lost_packets"] == 0 and result["lost_records"] == 0
                         and result["uncertain_records"] == 0 and result["calls_taken_up"] == 1 and result["back_ms"]["p99"] < 1000)
    return result


def dataplane(options, say):
    """Every stream goes on within a second, as the same stream; no record is lost, and what was heard and not
    metered is within what the records call uncertain."""
    result, killed, reports = _under_kills(options, say, "dataplane", 2.0, 5.0)
    result["gap_ms"] = scene.spread(scene.longest_gaps_ms(reports, [at for at, *_ in killed]))
    result["back_ms"] = scene.spread([ms for _, ms, _, _ in killed])
    result["reached"] = (result["gap_ms"]["p99"] < 1000 and result["ssrc_changes"] == 0
                         and result["sequence_gaps"] == 0 and result["lost_records"] == 0
                         and 0 <= -result["metered_minus_heard"] <= result["uncertain_packets"])
    return result
