#!/usr/bin/python3
"""The torture messages of RFC 4475, byte for byte, against the user agent.

    torture.py PROBE [--data DIRECTORY] [--only PATTERN]

PROBE: the program ua_probe. Every message goes to a fresh one over UDP, and over TCP too where its Via says so.
Each must get the answer that the RFC calls for from an endpoint, or be dropped and counted where it has a Via that
no answer can follow, and an OPTIONS must be answered after it. Prints PASS, FAIL or SKIP and the message's name;
ends with 0 when none failed. Runs in a network namespace of its own: answers go to the ports that the messages'
Via name."""

import argparse
import fnmatch
import os
import re
import select
import socket
import subprocess
import sys
import tempfile

from bed.process import Failure
from ua_bench import LOCAL, Probe, Raw, status

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "..", "..", "shared", "data", "rfc4475")
# Ports that the messages' Via headers name, or leave to the default.
PORTS = (5060, 5050, 5070)
QUIET_S = 0.4
DROPPED = "dropped"

# A call or request that is well-formed is treated like any other: accepted, or refused for what it asks.
PROCESSED = {200, 404, 480, 484, 486, 488, 603}
MALFORMED = {400, DROPPED}
# "If the receiver chooses to be liberal": either is in order by the RFC's text.
EITHER = PROCESSED | {400}
NO_ANSWER = {None}

# Message: (what may be answered, why). Sections of RFC 4475.
EXPECTED = {
    "wsinv": (PROCESSED | {481}, "3.1.1.1: valid, with white space wherever it may be; its To has the tag of a dialog"),
    "intmeth": ({405, 501, DROPPED}, "3.1.1.2: an unknown method; its characters and a NUL in a quoted string are more "
                "than the stack takes"),
    "esc01": (PROCESSED, "3.1.1.3: escapes in the Request-URI"),
    "escnull": ({405}, "3.1.1.4: valid REGISTER with escaped NULs; we are no registrar"),
    "esc02": ({405, 501}, "3.1.1.5: '%' is part of the method's name, not an escape"),
    "lwsdisp": ({200}, "3.1.1.6: no white space between display name and '<'"),
    "longreq": (PROCESSED, "3.1.1.7: long values"),
    "dblreq": ({405}, "3.1.1.8: bytes after the end of a REGISTER are no second message"),
    "semiuri": ({200}, "3.1.1.9: a user part with a parameter in it"),
    "transports": ({200}, "3.1.1.10: Via headers of every transport"),
    "mpart01": ({405, 415}, "3.1.1.11: a MESSAGE in several parts"),
    "unreason": (NO_ANSWER, "3.1.1.12: a response, to nothing of ours"),
    "noreason": (NO_ANSWER, "3.1.1.13: a response without a reason phrase"),
    "badinv01": (MALFORMED, "3.1.2.1: separators without values"),
    "clerr": ({400}, "3.1.2.2: Content-Length beyond the datagram"),
    "ncl": (MALFORMED, "3.1.2.3: negative Content-Length"),
    "scalar02": ({400, 405, DROPPED}, "3.1.2.4: numbers out of range in a request"),
    "scalarlg": (NO_ANSWER, "3.1.2.5: numbers out of range in a response: dropped"),
    "quotbal": (MALFORMED, "3.1.2.6: a quote that is not closed"),
    "ltgtruri": (EITHER, "3.1.2.7: Request-URI in '<>': 400, or liberal"),
    "lwsruri": (MALFORMED, "3.1.2.8: white space in the Request-URI"),
    "lwsstart": (EITHER | {DROPPED}, "3.1.2.9: several spaces in the start line: 400, or liberal"),
    "trws": (EITHER | {DROPPED}, "3.1.2.10: spaces at the end of the start line: 400, or liberal"),
    "escruri": (EITHER, "3.1.2.11: headers in the Request-URI: 400, or they are left out"),
    "baddate": (EITHER, "3.1.2.12: a Date that is not GMT; nothing of ours needs it"),
    "regbadct": ({400, 405}, "3.1.2.13: a Contact of a REGISTER without '<>'"),
    "badaspec": (EITHER, "3.1.2.14: spaces within an address: 400, or liberal"),
    "baddn": (EITHER, "3.1.2.15: a display name of no tokens: 400, or liberal"),
    "badvers": ({505, DROPPED}, "3.1.2.16: SIP/7.0; its Via is of SIP/7.0 too"),
    "mismatch01": ({400}, "3.1.2.17: start line and CSeq differ in the method"),
    "mismatch02": ({400, 501}, "3.1.2.18: the same, with an unknown method"),
    "bigcode": (NO_ANSWER, "3.1.2.19: a response code beyond 32 bits: dropped"),
    "badbranch": ({200}, "3.2.1: a branch of nothing but the cookie"),
    "insuf": ({400}, "3.3.1: Call-ID, From and To are missing"),
    "unkscm": ({416}, "3.3.2: a scheme that nobody knows"),
    "novelsc": ({416}, "3.3.3: a known scheme that isn't SIP's"),
    "unksm2": ({400, 405}, "3.3.4: other schemes in the headers of a REGISTER"),
    "bext01": ({420, DROPPED}, "3.3.5: unknown options; sent over TLS by its Via, which can't be"),
    "invut": ({415}, "3.3.6: a body of an unknown type"),
    "regaut01": ({401, 405}, "3.3.7: REGISTER with an unknown authorization scheme"),
    "multi01": ({400}, "3.3.8: several values of headers that have one"),
    "mcl01": ({400}, "3.3.9: two Content-Lengths"),
    "bcast": (NO_ANSWER, "3.3.10: a 200 to somebody else's Via: dropped"),
    "zeromf": ({200}, "3.3.11: Max-Forwards 0 ends at an endpoint"),
    "cparam01": ({405}, "3.3.12: REGISTER with a parameter of the Contact header"),
    "cparam02": ({405}, "3.3.13: REGISTER with a parameter of the Contact's URI"),
    "regescrt": ({405}, "3.3.14: REGISTER with an escaped header in the Contact's URI"),
    "sdp01": ({406}, "3.3.15: an INVITE whose answer may hold no SDP"),
    "inv2543": (PROCESSED, "3.4.1: an INVITE of RFC 2543: no branch, no tag of From"),
}


def name_of(file):
    return file.removesuffix(".dat")


def via_transport(message):
    match = re.search(rb"^(?:Via|v)[ \t]*:[ \t\r\n]*SIP\s*/\s*[0-9.]+\s*/\s*(\w+)", message, re.M | re.I)
    return match.group(1).decode().upper() if match else ""


class Ears:
    """Everywhere that an answer may go to."""

    def __init__(self):
        self.sockets = []
        for port in PORTS:
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((LOCAL, port))
            self.sockets.append(one)

    def send(self, message, port):
        self.sockets[0].sendto(message, (LOCAL, port))

    def hear(self):
        """All that is answered until it is quiet."""
        heard = []
        while ready := select.select(self.sockets, [], [], QUIET_S)[0]:
            heard += [one.recv(65535).decode("utf-8", "replace") for one in ready]
            if any(status(message) and status(message) >= 200 for message in heard):
                break
        return heard

    def close(self):
        for one in self.sockets:
            one.close()


def over_udp(probe, message):
    ears = Ears()
    try:
        ears.send(message, probe.port)
        return ears.hear()
    finally:
        ears.close()


def over_tcp(probe, message):
    text = b""
    with socket.create_connection((LOCAL, probe.port), timeout=5) as connection:
        connection.sendall(message)
        connection.settimeout(QUIET_S)
        try:
            while chunk := connection.recv(65535):
                text += chunk
                if re.search(rb"^SIP/2.0 [2-6]", text, re.M):
                    break
        except (TimeoutError, ConnectionError):
            pass
    return [part.decode("utf-8", "replace") for part in re.split(rb"(?=^SIP/2.0 )", text, flags=re.M) if part]


def verdict(answers, dropped):
    finals = [status(answer) for answer in answers if (status(answer) or 0) >= 200]
    if len(set(finals)) > 1:
        raise Failure(f"answered {finals}")
    return finals[0] if finals else DROPPED if dropped else None


def try_one(program, message, transport, allowed):
    with tempfile.TemporaryDirectory(prefix="torture-") as directory:
        probe = Probe(program, directory)
        try:
            before = probe.counters()["malformed"]
            answers = (over_tcp if transport == "TCP" else over_udp)(probe, message)
            dropped = probe.counters()["malformed"] > before
            found = verdict(answers, dropped)
            # A response is dropped whether it can be read or not.
            if allowed == NO_ANSWER and found == DROPPED:
                found = None
            if found not in allowed:
                raise Failure(f"over {transport}: {found}, not one of {sorted(map(str, allowed))}")
            raw = Raw(probe)
            try:
                raw.send(raw.request("OPTIONS"))
                if status(raw.final()) != 200:
                    raise Failure(f"over {transport}: no OPTIONS is answered afterwards")
            finally:
                raw.close()
        finally:
            probe.close()
        return found


def torture(program, path, name):
    allowed, _ = EXPECTED[name]
    with open(path, "rb") as file:
        message = file.read()
    transport = via_transport(message)
    # What says TCP or TLS but comes by UDP has a Via that isn't true: dropped.
    found = [try_one(program, message, "UDP", allowed if transport in ("UDP", "") else allowed | {DROPPED})]
    if transport == "TCP":
        found.append(try_one(program, message, "TCP", allowed))
    return found


def enter_namespace():
    """Runs this program again where the ports are free, whatever runs on this host."""
    if os.environ.get("TORTURE_NAMESPACE") == str(os.getppid()) or os.environ.get("TORTURE_NAMESPACE") == "inside":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    os.environ["TORTURE_NAMESPACE"] = "inside"
    os.execvp("unshare", ["unshare", *user, "--net", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("probe")
    parser.add_argument("--data", default=DATA)
    parser.add_argument("--only", default="*")
    options = parser.parse_args()
    enter_namespace()
    passed = failed = skipped = 0
    for name in sorted(EXPECTED):
        path = os.path.join(options.data, name + ".dat")
        if not fnmatch.fnmatch(name, options.only):
            continue
        if not os.path.exists(path):
            skipped += 1
            print(f"SKIP {name}: {os.path.normpath(options.data)} has no such file")
            continue
        try:
            found = torture(os.path.abspath(options.probe), path, name)
            passed += 1
            print(f"PASS {name} ({', '.join(map(str, found))}) {EXPECTED[name][1]}", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAIL {name}: {failure}. {EXPECTED[name][1]}", flush=True)
    strays = [f for f in (os.listdir(options.data) if os.path.isdir(options.data) else [])
              if f.endswith(".dat") and name_of(f) not in EXPECTED]
    for file in strays:
        failed += 1
        print(f"FAIL {file}: nothing is known of this message")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
