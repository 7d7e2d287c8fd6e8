#!/usr/bin/python3
"""Runs the command line against a region on /dev/shm and compares what it says.

    commands.py TOLLGATE MAKE_REGION GOLDEN_CDR_DIR"""

import http.server
import json
import os
import re
import pty
import select
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

TOLLGATE, MAKE_REGION, GOLDEN = sys.argv[1:4]
NAME = f"tollgate-test-{os.getpid()}"
FAULTS = []
MADE = {"at": time.monotonic()}


def expect(what, got, want):
    if got != want:
        FAULTS.append(what)
        print(f"--- {what}\nexpected: {want!r}\ngot:      {got!r}")


def expect_in(what, text, *wanted):
    for want in wanted:
        if want not in text:
            FAULTS.append(what)
            print(f"--- {what}\nexpected: {want!r}\nin:\n{text}")


def run(*argv, status=0, settings=None):
    done = subprocess.run([TOLLGATE, "--settings", settings or SETTINGS, *argv], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != status:
        FAULTS.append(" ".join(argv))
        print(f"--- {' '.join(argv)}: status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    loose = [c for c in done.stdout + done.stderr if c != "\n" and not 0x20 <= ord(c) < 0x7f]
    expect(f"{' '.join(argv)}: no control characters", loose, [])
    return done.stdout, done.stderr


def table(text):
    """Lines without the runs of blanks. Calls were 75 s old when the region was made; how long ago that is, is measured,
    so that a busy machine is not a fault and a wrong time is."""
    latest = 75 + int(time.monotonic() - MADE["at"]) + 1

    def age(match):
        seconds = 60 * int(match[1]) + int(match[2])
        return "1:15" if 75 <= seconds <= latest else match[0]
    return [re.sub(r"\b(\d+):(\d\d)\b", age, " ".join(line.split())) for line in text.splitlines()]


def usage():
    expect_in("help", run("help")[0], "SYNOPSIS", "cdr rebuild JOURNAL OUT", "EXIT STATUS")
    expect("--help", run("--help")[0], run("help")[0])
    expect_in("call --help", run("call", "--help")[0], "tollgate call ID")
    expect("help --json", {c["name"] for c in json.loads(run("--json", "help")[0])} >= {"stats", "cdr show"}, True)
    for wrong in ([], ["nothing"], ["call"], ["call", "a", "b"], ["cdr"], ["cdr", "x"], ["stats", "x"], ["--none"],
                  ["stats", "--settings"]):
        out, err = run(*wrong, status=2)
        expect(f"{wrong}: says nothing on stdout", out, "")
        expect_in(f"{wrong}", err, "tollgate")
    expect_in("hostile command", run("\x1b[2J", status=2)[1], "\\x1b[2J")
    expect("version", json.loads(run("version", "--json")[0])["layout"] >= 1, True)
    expect_in("version", run("version")[0], "tollgate ")
    expect_in("half a command", run("cdr", status=2)[1], "more words", "cdr")


def no_region():
    for command in (["stats"], ["calls"], ["call", "SE"], ["media"], ["top"]):
        expect_in("no region", run(*command, status=1)[1], NAME)
    expect_in("no settings", run("stats", status=1, settings="/nonexistent/x.conf")[1], "/nonexistent/x.conf")


SESSION_1, SESSION_2 = "SE" + "11" * 16, "SE" + "12" * 16


def calls():
    lines = table(run("calls")[0])
    expect("calls", lines, [
        "SESSION DIR MODULE FROM TO STATE TIME RX TX",
        f"{SESSION_1} in front-desk +15550100 +15550199 relay 1:15 100 1101",
        f"{SESSION_1} out front-desk +15550100 +15550102 relay 1:15 101 1100",
        f"{SESSION_2} in front-desk \\x1b[2Jx\\xff\\x0a 12345678901234567890 play 1:15 104 1010",
        f"SE{'13' * 16} in front-desk +1 +2 starting 1:15 0 0",
        "4 legs"])
    legs = json.loads(run("--json", "calls")[0])
    expect("calls --json", [(leg["session"], leg["row"], leg["state"], leg["tx_packets"]) for leg in legs][:3],
           [(SESSION_1, 0, "relay", 1101), (SESSION_1, 1, "relay", 1100), (SESSION_2, 4, "play", 1010)])
    leg = json.loads(run("call", "--json", SESSION_1)[0])[1]
    expect("call --json", [leg[k] for k in ("call", "local", "remote", "jitter_us", "stint", "worker", "direction",
                                            "rx_payload_type", "source")],
           ["CA" + "41" * 16, "198.18.0.1:20002", "198.18.0.11:4000", 1000, 1, 0, "out", 8, "relay"])
    quality = ("round_trip_us", "round_trip_average_us", "far_lost_packets", "far_jitter_us", "mos_from", "mos_to")
    expect("call --json, what RTCP said", [leg[k] for k in quality], [51000, 49000, 7, 1500, 4.41, 3.99])
    expect("calls --json, no RTCP yet", [legs[0][k] for k in quality], [None] * 6)
    expect_in("call, opinion score", " ".join(run("call", SESSION_1)[0].split()), "mos_to 3.99", "far_lost_packets 7")
    expect_in("call by its CallSid", run("call", "CA4040")[0], SESSION_1, "198.18.0.10:4000")
    expect_in("ambiguous", run("call", "SE1", status=1)[1], "more than one")
    expect_in("unknown", run("call", "SEff\x1b", status=1)[1], "no session SEff\\x1b")


def stats():
    text = run("stats")[0]
    expect_in("stats", text, "control    not running since 2026-09-21T14:13:20.000Z", "dataplane  never ran",
              "media      1 of 4 items, 23.6 KiB of 1.0 MiB", "not from the address that was signalled")
    expect_in("stats", "\n".join(table(text)), "rx_frames 0 12345 frames received from ports", "wrong_source 0 6 ",
              "COUNTER WORKER 0 WORKER 1", "state not running not running stuck: has not looped for a second")
    value = json.loads(run("stats", "--json")[0])
    expect("stats --json", [value["workers"][1]["rx_frames"], value["workers"][1]["drops"]["wrong_source"],
                            value["workers"][1]["total"]["rx_packets"], value["control"]["running"], value["legs"],
                            value["dataplane"]["last_beat"], value["workers"][0]["state"]],
           [12345, 6, 205, False, 20, None, "not running"])


def media():
    expect("media", table(run("media")[0]), [
        "ITEM STATE CODEC SECONDS BYTES LEASES HITS VERSION DIGEST",
        "1 ready PCMA 3.020 24160 0 5 2 abababababababab", "1 of 4 items, 23.6 KiB of 1.0 MiB"])
    value = json.loads(run("media", "--json")[0])
    expect("media --json", (value["items_used"], value["list"][0]["ms"]), (1, 3020))


def top():
    lines = run("top")[0].splitlines()
    expect("top: lines", len(lines) <= 24 and max(map(len, lines)) <= 80, True)
    expect_in("top", "\n".join(table("\n".join(lines))), "legs 4 of 20 media 1 of 4 items",
              "SE111111 in front-des +15550100 +15550199 relay 1:15 100 1101")
    expect("top --json", set(json.loads(run("top", "--json")[0])), {"stats", "calls"})
    for end in ("q", signal.SIGINT, signal.SIGTERM):
        top_on_terminal(end)


def top_on_terminal(end):
    """It draws more than once, ends on a key or a signal, and leaves the terminal as it was."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(TOLLGATE, [TOLLGATE, "--settings", SETTINGS, "top"])
    import termios
    before = termios.tcgetattr(fd)[3]
    seen, sent, stop = b"", False, time.monotonic() + 20
    while time.monotonic() < stop:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
        if not sent and seen.count(b"\x1b[J") >= 2:
            sent = True
            os.write(fd, b"q") if end == "q" else os.kill(pid, end)
    expect(f"top: terminal after {end}", termios.tcgetattr(fd)[3], before)
    expect(f"top: exit after {end}", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
    expect(f"top: screen after {end}", seen.endswith(b"\x1b[?25h\x1b[?1049l"), True)
    os.close(fd)


def check_config(directory):
    registry = os.path.join(directory, "registry.conf")
    expect_in("check-config without a registry", run("check-config", SETTINGS, status=1)[1], registry)
    with open(registry, "w", encoding="utf-8") as file:
        file.write('modules = ({ code = "m"; account = "nobody"; url = "http://h/m"; });\n')
    expect_in("check-config of a wrong registry", run("check-config", SETTINGS, status=1)[1], "registry.conf:1", "account")
    with open(registry, "w", encoding="utf-8"):
        pass
    expect("check-config", run("check-config", SETTINGS)[0], f"{SETTINGS}: ok\n")
    expect("check-config --json", json.loads(run("check-config", SETTINGS, "--json")[0]), {"ok": True, "error": None})
    sample = os.path.join(directory, "sample.conf")
    with open(sample, "w", encoding="utf-8") as file:
        subprocess.run([TOLLGATE, "sample-config"], stdout=file, timeout=60, check=True)
    run("check-config", sample)
    bad = os.path.join(directory, "bad.conf")
    with open(bad, "w", encoding="utf-8") as file:
        file.write("node: { nme = \"x\"; };\n")
    expect_in("check-config of a wrong key", run("check-config", bad, status=1)[1], "bad.conf:1", "nme")
    expect("check-config --json", json.loads(run("check-config", bad, "--json", status=1)[0])["ok"], False)


def cdr(directory):
    rows = os.path.join(GOLDEN, "two_stints.jsonl")
    lines = table(run("cdr", "show", rows, rows)[0])
    expect("cdr show", (len(lines), lines[2]),
           (13, "2 leg SE1 1 out ivr +15550100 +15550101 2026-09-21T14:13:34.123Z 0 0 486 0 0 0 busy"))
    expect("cdr show --json", len(json.loads(run("cdr", "show", "--json", rows)[0])), 6)
    expect_in("cdr show of CSV", run("cdr", "show", os.path.join(GOLDEN, "two_stints.csv"), status=1)[1], "line 1",
              ".jsonl")
    expect_in("cdr show of nothing", run("cdr", "show", "/nonexistent", status=1)[1], "/nonexistent")
    hostile = os.path.join(directory, "hostile.jsonl")
    with open(hostile, "w", encoding="utf-8") as file:
        file.write(json.dumps({"record": 1, "calling": "\x1b]0;x\x07\n\u202e", "called": "\0"}) + "\n")
    expect_in("cdr show of hostile text", run("cdr", "show", hostile)[0], "\\x1b]0;x\\x07\\x0a\\xe2\\x80\\xae")
    journal, out = os.path.join(directory, "journal"), os.path.join(directory, "out")
    expect_in("cdr rebuild of nothing", run("cdr", "rebuild", journal, out, status=1)[1], journal)
    os.mkdir(journal)
    expect_in("cdr rebuild of an empty directory", run("cdr", "rebuild", journal, out, status=1)[1], "no journal")
    expect("cdr rebuild", os.listdir(out), [])


def verify_files(directory, name, *pairs):
    """A directory of CDR files: (stem, JSON lines, CSV)."""
    made = os.path.join(directory, name)
    os.mkdir(made)
    for stem, lines, table_text in pairs:
        for suffix, text in (".jsonl", lines), (".csv", table_text):
            if text is not None:
                with open(os.path.join(made, stem + suffix), "w", encoding="latin-1", newline="") as file:
                    file.write(text)
    return made


def cdr_verify(directory):
    forms = []
    for suffix in ".jsonl", ".csv":
        with open(os.path.join(GOLDEN, "two_stints" + suffix), encoding="latin-1", newline="") as file:
            forms.append(file.read())
    stem = "gw1-20260921T141320Z-0000000001"
    good = verify_files(directory, "good", (stem, *forms))
    expect("cdr verify", run("cdr", "verify", good)[0],
           "ok: 1 files (each in both forms), 6 rows (records 1 to 6), 1 sessions, 0 of them uncertain; 0 faults\n")
    value = json.loads(run("cdr", "verify", "--json", good)[0])
    expect("cdr verify --json", (value["ok"], value["files"], value["rows"], value["first_faults"]), (True, 1, 6, []))
    expect("cdr verify of nothing yet", run("cdr", "verify", verify_files(directory, "none"))[0].startswith("ok: 0 files"),
           True)
    bad = verify_files(directory, "bad", (stem, forms[0].replace('"duration_ms":58000', '"duration_ms":58001'), forms[1]))
    out = run("cdr", "verify", bad, status=1)[0]
    expect_in("cdr verify of a wrong duration", out, f'"{stem}.jsonl":1: duration_ms', f'"{stem}.csv":2: the row differs',
              "not ok", "cdr rebuild")
    value = json.loads(run("--json", "cdr", "verify", bad, status=1)[0])
    expect("cdr verify --json of a wrong duration", (value["ok"], value["first_faults"][0]["line"]), (False, 2))
    hostile = verify_files(directory, "hostile", (stem, "\x1b[2J\xff\n{\"\\u001b\":1}\n", "\x1b]0;x\x07\n"),
                           ("\x1b[2J-1", "", None), (f"temp-{stem[:-1]}2", "{\"half a", None))
    expect_in("cdr verify of hostile files", run("cdr", "verify", hostile, status=1)[0], f'"{stem}.jsonl":1: this is no row',
              '"\\x1b[2J-1": its other form, .csv, is not there')
    expect_in("cdr verify of no directory", run("cdr", "verify", "/nonexistent", status=1)[1], "/nonexistent")
    expect_in("cdr verify with no journal", run("cdr", "verify", good, "/nonexistent", status=1)[1], "/nonexistent")


class Service(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    answer = (200, "")

    def handle_error(self, *_):
        """A client that has heard enough hangs up."""


class Handler(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "local"

    def log_message(self, *_):
        pass

    def do_GET(self):
        status, text = self.server.answer if self.path == "/audit" else (404, "{}")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


def audit(directory):
    out, err = run("audit", status=1)
    expect_in("audit without a control plane", err, "control.sock", "tollgate-control")
    expect("audit without a control plane", out, "")
    path = os.path.join(directory, "control.sock")
    with Service(path, Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        sums = {"rx_packets": 5}
        good = {"ok": True, "text": "ok", "workers": [{"worker": 0, "total": sums, "closed": sums, "open": {},
                                                       "journalled": sums}]}
        service.answer = (200, json.dumps(good))
        text = run("audit")[0]
        expect("audit", (text.splitlines()[0], "not" in text), ("ok", False))
        expect("audit", "rx_packets 5 5 0 5" in table(text), True)
        expect("audit --json", json.loads(run("audit", "--json")[0])["audit"], "ok")
        bad = {"ok": False, "text": "differs\x1b", "workers": [{"worker": 0, "total": {"digits": 3},
                                                               "closed": {"digits": 1}}]}
        service.answer = (200, json.dumps(bad))
        text = run("audit", status=1)[0]
        expect_in("audit that differs", text, "differs\\x1b", "total is not closed + open", "closed is not journalled")
        expect("audit --json", json.loads(run("audit", "--json", status=1)[0])["ok"], False)
        for answer in ((503, "{\"error\":\"\x1b\"}"), (200, "no json"), (200, "[]"), (200, "x" * (2 << 20)),
                       (200, "{}")):
            service.answer = answer
            run("audit", status=1)
        service.shutdown()


def garbage():
    """Whatever is in the region: an answer, and valid JSON."""
    for command in (["stats"], ["calls"], ["media"], ["top"]):
        run(*command)
        json.loads(run("--json", *command)[0])
    for leg in json.loads(run("--json", "calls")[0])[:5]:
        run("call", leg["session"])
    with open(f"/dev/shm/{NAME}", "r+b") as file:
        file.truncate(65536)
    run("stats", status=1)
    with open(f"/dev/shm/{NAME}", "r+b") as file:
        file.write(os.urandom(65536))
    run("stats", status=1)


def make_region(what):
    MADE["at"] = time.monotonic()
    remove_region()
    subprocess.run([MAKE_REGION, "/dev/shm", NAME, what], check=True)


def remove_region():
    if os.path.exists(f"/dev/shm/{NAME}"):
        os.unlink(f"/dev/shm/{NAME}")


with tempfile.TemporaryDirectory(prefix="tgt") as scratch:
    SETTINGS = os.path.join(scratch, "gateway.conf")
    with open(SETTINGS, "w", encoding="utf-8") as settings_file:
        settings_file.write(f'''registry = "registry.conf";
node: {{ run_dir = "{scratch}"; state_dir = "{scratch}"; }};
region: {{ dir = "/dev/shm"; name = "{NAME}"; }};
media: {{ addresses = ("198.18.0.1"); ports = ( {{ kind = "af_packet"; interface = "media0"; }} ); }};
sip: {{ trunks = ( {{ name = "a"; address = "198.18.0.0/24"; }} ); }};
''')
    try:
        usage()
        no_region()
        make_region("calls")
        calls()
        stats()
        media()
        top()
        check_config(scratch)
        cdr(scratch)
        cdr_verify(scratch)
        audit(scratch)
        make_region("garbage")
        garbage()
    finally:
        remove_region()
print(f"{len(FAULTS)} faults")
sys.exit(1 if FAULTS else 0)
