#!/usr/bin/python3
"""The demonstration: one real call through everything, shown while it runs, proven at the end.

    demo.py --build build

Writes BUILD/demo: caller.pcap, callee.pcap, cdr/, summary.json. Ends with 0 only if the call went as it should
and captures, CDR rows and audit agree to the packet."""

import argparse
import json
import os
import shutil
import signal
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from bed import cdr, check, network, owner, region, registry, rtp, story  # noqa: E402
from bed.process import Failure  # noqa: E402
from bed.world import World  # noqa: E402

STATISTICS_SECONDS = 1.0


def say(text=""):
    print(text, flush=True)


def heading(text):
    say(f"\n== {text}")


class Statistics:
    """Prints the workers' live figures while the call runs, as `tollgate stats` reads them from the region."""

    def __init__(self, tool):
        self._tool = tool
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._over.wait(STATISTICS_SECONDS):
            try:
                say("   " + _line(self._tool.json("stats")))
            except Failure as failure:
                say(f"   statistics: {failure}")

    def stop(self):
        self._over.set()
        self._thread.join()


def _line(stats):
    workers = stats.get("workers", [])

    def total(name):
        return sum(_figure(worker, name) for worker in workers)

    return (f"legs {total('legs_open'):>2}  plays {total('plays_active'):>2}  "
            f"rx {total('rx_frames'):>6}  tx {total('tx_frames'):>6}  "
            f"received {total('rx_packets'):>6}  played {total('played_packets'):>6}  "
            f"relayed {total('relayed_packets'):>6}  dropped {total('dropped_packets'):>3}")


def _figure(worker, name):
    for place in (worker, worker.get("stats", {}), worker.get("total", {}), worker.get("totals", {})):
        if name in place:
            return place[name]
    return 0


def prove(rows, audit, caller, callee):
    """Everything that must hold. Returns the stints."""
    stints = rows.stints()
    heard = check.one_voice(caller, network.CALLER, spacing=False)
    check.one_voice(callee, network.CALLEE, spacing=False)
    check.said_in_order(heard, rtp.only(callee, network.CALLEE, network.GATEWAY))
    check.equal("modules of the stints", [row["module"] for row in stints], [registry.FRONT_DESK, registry.CONNECT])
    check.equal("accounts of the stints", [row["account"] for row in stints],
                [registry.RECEPTION, registry.EXCHANGE])
    check.stints_meet(stints)
    check.packets(stints, caller, callee)
    check.equal("leg rows", len(rows.legs()), 2)
    check.equal("audit", audit, "ok")


def run(world, output):
    say("caller 198.18.0.10, callee 198.18.0.20, web 198.18.0.30, gateway 198.18.0.2: four network namespaces")
    world.start_gateway(world.front_desk(seconds=20))
    say("both planes are ready; nginx holds the documents and a 44.1 kHz prompt")
    world.capture()
    heading("a call to 100")
    statistics = Statistics(world.gateway.tool)
    try:
        story.tell(world, say)
    finally:
        statistics.stop()
    caller, callee = world.streams("caller"), world.streams("callee")
    rows = world.rows()
    report = world.gateway.tool.json("audit")
    audit = report.get("audit", "no answer")
    words = world.gateway.tool.text("audit", check=False).strip()
    world.finish()
    show(rows, words)
    files = keep(world, output)
    summary = {"session_id": rows.only_session()["session"], "audit": audit, "cdr_files": files,
               "stints": [cdr.summary_stint(row) for row in rows.stints()]}
    with open(os.path.join(output, "summary.json"), "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=1)
        file.write("\n")
    prove(rows, audit, caller, callee)


def show(rows, audit_words):
    heading("stints")
    columns = (("module", "module", 12), ("account", "account", 34), ("start", "start_time", 24),
               ("end", "end_time", 24), ("ms", "duration_ms", 7), ("to caller", "to_caller_packets", 10),
               ("from", "from_caller_packets", 6), ("to callee", "to_callee_packets", 10),
               ("from", "from_callee_packets", 6), ("played", "played_packets", 7))
    say(" ".join(f"{title:<{width}}" for title, _, width in columns))
    for row in rows.stints():
        say(" ".join(f"{str(row[name]):<{width}}" for _, name, width in columns))
    heading("CDR rows")
    for row in rows.rows:
        say(json.dumps({name: value for name, value in row.items() if value is not None}))
    heading("audit")
    say(audit_words)


def keep(world, output):
    """Copies what the demonstration leaves. Returns the names of the CDR files."""
    for host in ("caller", "callee"):
        shutil.copyfile(os.path.join(world.directory, f"{host}.pcap"), os.path.join(output, f"{host}.pcap"))
    shutil.copytree(world.gateway.cdr_directory, os.path.join(output, "cdr"))
    paths = cdr.files(os.path.join(output, "cdr"))
    csv = [os.path.splitext(path)[0] + ".csv" for path in paths]
    return [os.path.relpath(path, output) for path in sorted(paths + csv) if os.path.exists(path)]


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description="One call through everything.")
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build"))
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    output = os.path.join(build, "demo")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    shutil.rmtree(output, ignore_errors=True)
    os.makedirs(output)
    owner.sweep()
    world = None
    failed = True
    try:
        region.require()
        world = World(build, keep=os.path.join(output, "failed"))
        run(world, output)
        failed = False
        heading(f"all of it held; see {os.path.relpath(output)}")
    except Failure as failure:
        say(f"\ndemo: {failure}")
    except KeyboardInterrupt:
        say("\ndemo: interrupted")
    finally:
        if world:
            world.close(failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
