"""The user agent by itself (ua_probe) on loopback, and what plays against it: SIPp, and a raw socket."""

import contextlib
import os
import queue
import random
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from bed.process import Failure

LOCAL = "127.0.0.1"
STRANGER = "127.0.0.2"  # in no trunk's range


def free_port():
    """A port that neither UDP nor TCP uses at this moment, below those that the kernel hands out by itself: what is
    given here to a program that binds it later stays free till then."""
    while True:
        port = random.randrange(10001, 30000, 2)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
                udp.bind((LOCAL, port))
                tcp.bind((LOCAL, port))
                return port
        except OSError:
            continue


def free_media_ports():
    """The first of four free UDP ports for SIPp's RTP, below those that the kernel hands out by itself."""
    while True:
        first = random.randrange(10000, 30000, 4)
        try:
            with contextlib.ExitStack() as stack:
                for port in range(first, first + 4):
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind((LOCAL, port))
            return first
        except OSError:
            continue


class Probe:
    def __init__(self, program, directory, calls_per_second=1000, max_calls=500, max_sessions=1000, tcp=True,
                 port=None):
        self.port = port or free_port()
        path = os.path.join(directory, f"probe-{self.port}.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""
media = {{ addresses = ( "{LOCAL}" ); ports = ( {{ kind = "af_packet"; interface = "lo"; }} ); }};
sip = {{ address = "{LOCAL}"; port = {self.port}; max_sessions = {max_sessions}; tcp = {str(tcp).lower()};
  trunks = ( {{ name = "local"; address = "{LOCAL}/32"; calls_per_second = {calls_per_second};
               max_calls = {max_calls}; }} ); }};
registry = "registry.conf";
""")
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", dir=directory)
        self._killed = False
        # Under AddressSanitizer, freed memory is kept back; little of it, so that growth can be seen.
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
        self._child = subprocess.Popen([program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self._log, text=True, errors="replace",
                                       env={**os.environ, "ASAN_OPTIONS": sanitizer})
        self._lines = queue.Queue()
        self.said = []
        threading.Thread(target=self._read, daemon=True).start()
        self.wait("^ready")

    def _read(self):
        for line in self._child.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def wait(self, pattern, timeout=10):
        """The next line that the pattern is found in; lines before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = ""
            if line is None or (line == "" and time.monotonic() >= deadline):
                raise Failure(f"the user agent did not say /{pattern}/; it said:\n  " + "\n  ".join(self.said[-20:]))
            self.said.append(line)
            match = re.search(pattern, line)
            if match:
                return match

    def expect(self, *patterns, timeout=10):
        """The next events, in this order, nothing in between."""
        for pattern in patterns:
            line = self.wait("", timeout).string
            if not re.search(pattern, line):
                raise Failure(f"the user agent said \"{line}\", not /{pattern}/; before it:\n  "
                              + "\n  ".join(self.said[-20:]))

    def silent(self, seconds=0.3):
        time.sleep(seconds)
        if not self._lines.empty():
            raise Failure(f"the user agent said \"{self._lines.get()}\" where nothing was due")

    def tell(self, line):
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def counters(self):
        self.tell("counters")
        line = self.wait("^counters ").string
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}

    @property
    def pid(self):
        return self._child.pid

    def log(self):
        """What it wrote to standard error so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode("utf-8", "replace")

    def running(self):
        return self._child.poll() is None

    def kill(self):
        """Ends it as a crash would."""
        self._child.kill()
        self.killed()

    def killed(self, timeout=10):
        """It has died by SIGKILL, or does now."""
        try:
            if self._child.wait(timeout) != -signal.SIGKILL:
                raise Failure(f"the user agent ended with {self._child.returncode}, not by SIGKILL")
        except subprocess.TimeoutExpired:
            raise Failure("the user agent did not die; it said:\n  " + "\n  ".join(self.said[-20:])) from None
        self._killed = True

    def close(self):
        """Ends it; a crash, a leak or a finding of a sanitizer is a failure."""
        if self.running():
            self.tell("quit")
        try:
            status = self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            status = "no end within 15 s"
        self._log.seek(0)
        said = self._log.read()
        self._log.close()
        if self._killed:
            return said
        if status != 0:
            raise Failure(f"the user agent ended with {status}:\n{said[-3000:]}")
        return said


def write_scenario(path, steps):
    body = "\n".join(steps)
    variables = sorted({name for names in re.findall('assign_to="([^"]+)"', body) for name in names.split(",")})
    reference = f'\n<Reference variables="{",".join(variables)}"/>' if variables else ""
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="steps">\n{body}{reference}\n</scenario>\n')


class Sipp:
    """SIPp with the steps of a scenario. remote: a port to call; None for one that is called."""

    def __init__(self, directory, steps, remote=None, number="200", transport="u1", timeout=60):
        self.port = free_port()
        self._base = os.path.join(directory, f"sipp-{self.port}")
        write_scenario(self._base + ".xml", steps)
        argv = ["sipp", "-sf", self._base + ".xml", "-i", LOCAL, "-p", self.port, "-mi", LOCAL, "-mp",
                free_media_ports(),
                "-m", 1, "-nostdin", "-timeout", f"{timeout}s", "-timeout_error", "-t", transport, "-trace_err",
                "-error_file", self._base + ".errors", "-trace_msg", "-message_file", self._base + ".messages",
                "-key", "caller", "4711"]
        if remote:
            argv += ["-s", number, f"{LOCAL}:{remote}"]
        self._log = open(self._base + ".log", "w", encoding="utf-8")
        self._child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=self._log,
                                       stderr=subprocess.STDOUT, cwd=directory)
        if not remote:
            self._await_listening(transport)

    def _await_listening(self, transport):
        table = "/proc/net/tcp" if transport.startswith("t") else "/proc/net/udp"
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with open(table, encoding="ascii") as file:
                if f":{self.port:04X} " in file.read():
                    return
            time.sleep(0.02)
        raise Failure(f"sipp did not listen: {self.evidence()}")

    def finish(self, timeout=70):
        try:
            status = self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            status = "no end"
        if status != 0:
            raise Failure(f"sipp ended with {status}:\n{self.evidence()}")
        return self.messages()

    def messages(self):
        try:
            with open(self._base + ".messages", encoding="utf-8", errors="replace") as file:
                return file.read().replace("\r", "")
        except FileNotFoundError:
            return ""

    def evidence(self):
        text = ""
        for end in (".errors", ".messages", ".log"):
            if os.path.exists(self._base + end):
                with open(self._base + end, encoding="utf-8", errors="replace") as file:
                    text += file.read()[-2500:]
        return text

    def close(self):
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._log.close()


class Raw:
    """A UDP socket that says what it is told, byte for byte."""

    def __init__(self, probe, source=LOCAL):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((source, 0))
        self.source, self.port = self._socket.getsockname()
        self._probe = (LOCAL, probe.port)
        self._count = 0

    def send(self, message):
        data = message if isinstance(message, bytes) else message.replace("\n", "\r\n").encode()
        self._socket.sendto(data, self._probe)

    def receive(self, timeout=2):
        """The next message as text; None when nothing comes."""
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(65535).decode("utf-8", "replace").replace("\r", "")
        except TimeoutError:
            return None

    def final(self, timeout=3):
        """The next final response; provisional ones are passed over."""
        while True:
            message = self.receive(timeout)
            if message is None or not message.startswith("SIP/2.0 1"):
                return message

    def call_id(self):
        self._count += 1
        return f"{self.port}-{self._count}@raw"

    def request(self, method="INVITE", uri=None, to_tag="", call_id=None, cseq=1, branch=None, headers="", body="",
                from_tag="f", contact=True, forwards=70, content="application/sdp", via=None):
        call_id = call_id or self.call_id()
        branch = branch or f"z9hG4bK{call_id.partition('@')[0]}{cseq}{method}"
        uri = uri or f"sip:200@{LOCAL}:{self._probe[1]}"
        lines = [f"{method} {uri} SIP/2.0",
                 f"Via: SIP/2.0/UDP {via or f'{self.source}:{self.port}'};branch={branch}",
                 f"From: <sip:raw@{LOCAL}>;tag={from_tag}",
                 f"To: <sip:200@{LOCAL}>" + (f";tag={to_tag}" if to_tag else ""),
                 f"Call-ID: {call_id}", f"CSeq: {cseq} {method}", f"Max-Forwards: {forwards}"]
        if contact:
            lines.append(f"Contact: <sip:raw@{self.source}:{self.port}>")
        lines += [line for line in headers.split("\n") if line]
        if body:
            lines.append(f"Content-Type: {content}")
        data = body.replace("\n", "\r\n")
        return "\n".join(lines + [f"Content-Length: {len(data)}", "", body])

    def answer_to(self, request, line, tag="", body=""):
        """A response to a request that was received."""
        lines = [f"SIP/2.0 {line}"]
        for kept in request.split("\n\n")[0].split("\n")[1:]:
            name = kept.partition(":")[0]
            if name in ("Via", "From", "To", "Call-ID", "CSeq"):
                lines.append(kept + (f";tag={tag}" if name == "To" and tag else ""))
        lines.append(f"Contact: <sip:raw@{self.source}:{self.port}>")
        if body:
            lines.append("Content-Type: application/sdp")
        data = body.replace("\n", "\r\n")
        return "\n".join(lines + [f"Content-Length: {len(data)}", "", body])

    def close(self):
        self._socket.close()


SDP = """v=0
o=raw 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 30000 RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000
"""


def status(message):
    return int(message.split(" ")[1]) if message and message.startswith("SIP/2.0 ") else None


def header(message, name):
    match = re.search(rf"^{name}: *(.*)$", message or "", re.M | re.I)
    return match.group(1) if match else None


def to_tag(message):
    match = re.search(r"^To:.*;tag=([^;\n]+)", message or "", re.M | re.I)
    return match.group(1) if match else None


class Bench:
    """One case's own user agent and far ends; everything ends with the case."""

    def __init__(self, program):
        self._program = program
        self._directory = tempfile.TemporaryDirectory(prefix="ua-")
        self.directory = self._directory.name
        self._open = []

    def probe(self, **settings):
        probe = Probe(self._program, self.directory, **settings)
        self._open.append(probe)
        return probe

    def sipp(self, *steps, **more):
        sipp = Sipp(self.directory, steps, **more)
        self._open.append(sipp)
        return sipp

    def raw(self, probe, source=LOCAL):
        raw = Raw(probe, source)
        self._open.append(raw)
        return raw

    def close(self):
        faults = []
        for one in reversed(self._open):
            try:
                one.close()
            except Failure as failure:
                faults.append(str(failure))
        self._directory.cleanup()
        if faults:
            raise Failure("\n".join(faults))
