#!/usr/bin/python3
"""The media layer over its HTTP interface: media_layer.py --build DIR [CASE...].

Runs tests/unit/cache/media_host (the service and a region on /dev/shm) against an origin of its own on
loopback. Exit status 0: all passed; 1: something failed; 77: sox is missing."""

import argparse
import http.client
import http.server
import json
import math
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

SETTINGS = """
node = {{ name = "media-test"; state_dir = "{dir}"; run_dir = "{dir}"; }};
region = {{ dir = "/dev/shm"; name = "{region}"; }};
media = {{
    port_min = 20000; port_max = 20099; arena_mib = {arena_mib}; items = {items};
    addresses = ( "127.0.0.1" );
    ports = ( {{ kind = "af_packet"; interface = "lo"; }} );
}};
sip = {{ trunks = ( {{ name = "t"; address = "127.0.0.0/8"; }} ); }};
http = {{ allow = ( {allow} ); }};
cache = {{
    worker = "{worker}"; max_source_kib = {max_source_kib}; max_seconds = {max_seconds};
    fetch_ms = {fetch_ms}; connect_ms = 500; fresh_seconds = {fresh_seconds};
    worker_seconds = {worker_seconds}; worker_mib = 256;
}};
"""
DEFAULTS = {"arena_mib": 8, "items": 64, "allow": '"127.0.0.0/8"', "worker": "", "max_source_kib": 4096,
            "max_seconds": 60, "fetch_ms": 1500, "fresh_seconds": 300, "worker_seconds": 2}


def check(truth, what):
    if not truth:
        raise AssertionError(what)


def equal(got, wanted, what=""):
    check(got == wanted, f"{what}: {got!r} is not {wanted!r}")


class Origin:
    """An HTTP server whose pages are functions; keeps the list of requests."""

    def __init__(self):
        self.pages, self.requests, self.lock = {}, [], threading.Lock()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.split("?")[0]
                with origin.lock:
                    origin.requests.append((self.command, self.path, dict(self.headers)))
                page = origin.pages.get(path)
                self.close_connection = True
                try:
                    if page:
                        page(self)
                    else:
                        origin.send(self, 404, b"<html>no such page</html>", "text/html")
                except (BrokenPipeError, ConnectionResetError):
                    pass

            do_HEAD = do_GET

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def send(handler, status, body, kind="application/octet-stream", **fields):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in fields.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    def put(self, path, body, kind="audio/wav", status=200, wait=0.0, **fields):
        def page(handler):
            time.sleep(wait)
            self.send(handler, status, body, kind, **fields)
        self.pages[path] = page
        return self.url(path)

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def count(self, path):
        with self.lock:
            return sum(1 for r in self.requests if r[1].split("?")[0] == path)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("media", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Host:
    """media_host with these settings; may be started anew on the same region."""

    def __init__(self, build, loop_ms=None, **settings):
        self.build, self.loop_ms = os.path.abspath(build), loop_ms
        self.dir = tempfile.mkdtemp(prefix="media_layer.", dir="/tmp")
        self.region = os.path.basename(self.dir)
        values = dict(DEFAULTS, dir=self.dir, region=self.region, **settings)
        values["worker"] = values["worker"] or f"{self.build}/cache/tollgate-media-worker"
        self.settings = os.path.join(self.dir, "tollgate.conf")
        with open(self.settings, "w") as f:
            f.write(SETTINGS.format(**values))
        self.socket = os.path.join(self.dir, "media.sock")
        self.log = os.path.join(self.dir, "log")
        self.process = None
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.dir, ignore_errors=True)
            if os.path.exists(f"/dev/shm/{self.region}"):
                os.unlink(f"/dev/shm/{self.region}")
            raise

    def start(self):
        with open(self.log, "a") as log:
            more = [] if self.loop_ms is None else [str(self.loop_ms)]
            self.process = subprocess.Popen([f"{self.build}/tests/unit/cache/media_host", self.settings, *more],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        check(line == b"ready\n", f"media_host did not start: {self.read_log()}")

    def read_log(self):
        with open(self.log) as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("media_host does not stop")
        self.process.stdout.close()
        return self.process.returncode

    def close(self):
        try:
            equal(self.stop(), 0, "exit status of media_host\n" + self.read_log())
            check(not os.path.exists(self.socket), "the socket is left behind")
            check(not self.children(), "workers are left behind")
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)
            if os.path.exists(f"/dev/shm/{self.region}"):
                os.unlink(f"/dev/shm/{self.region}")

    def children(self):
        try:
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as f:
                return f.read().split()
        except OSError:
            return []

    def raw(self, method, path, headers=None):
        c = UnixConnection(self.socket)
        try:
            c.request(method, path, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read(), dict(r.getheaders())
        finally:
            c.close()

    def json(self, method, path):
        status, body, _ = self.raw(method, path)
        return status, json.loads(body) if body else None

    def resolve(self, source, **more):
        return self.json("GET", "/v1/media?" + urllib.parse.urlencode(dict(source=source, **more)))

    def good(self, source, **more):
        status, answer = self.resolve(source, **more)
        equal(status, 200, f"{source}: {answer}")
        return answer

    def ready(self, source, **more):
        """Resolves and waits until it is complete."""
        answer = self.good(source, **more)
        for _ in range(200):
            if answer["state"] == "ready":
                return answer
            time.sleep(0.01)
            self.release(answer)
            answer = self.good(source, **more)
        raise AssertionError(f"{source} stays {answer}")

    def bad(self, source, error, within=5.0, **more):
        began = time.monotonic()
        status, answer = self.resolve(source, **more)
        took = time.monotonic() - began
        check(status >= 400, f"{source}: {status} {answer}")
        equal(answer["error"], error, f"{source}: {answer}")
        check(answer["sentence"], "no sentence")
        check(took < within, f"{source}: took {took:.1f} s")
        return answer

    def release(self, answer):
        equal(self.raw("DELETE", f"/v1/leases/{answer['lease']}")[0], 204, "ending a lease")

    def frames(self, answer):
        status, body, fields = self.raw("GET", answer["address"])
        equal(status, 200, answer["address"])
        return body

    def stats(self):
        return self.json("GET", "/v1/media/stats")[1]


def ulaw(body):
    out = []
    for b in body:
        b = ~b & 0xff
        v = (((b & 0x0f) << 3) + 0x84 << (b >> 4 & 7)) - 0x84
        out.append(-v if b & 0x80 else v)
    return out


def alaw(body):
    out = []
    for b in body:
        b ^= 0x55
        v, seg = (b & 0x0f) << 4, b >> 4 & 7
        v = v + 8 if seg == 0 else v + 0x108 << seg - 1
        out.append(v if b & 0x80 else -v)
    return out


def sox(*args):
    return subprocess.run(["sox", "-D", *args], check=True, capture_output=True).stdout


class Sounds:
    """Speech-like test sounds in several formats, and sox's own idea of each at 8000 Hz."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="media_layer_sounds.", dir="/tmp")
        self.base = os.path.join(self.dir, "base.wav")
        sox("-n", "-r", "44100", "-c", "2", "-b", "16", self.base, "synth", "2.5", "sine", "300-2500", "sine",
            "440", "vol", "0.4")

    def make(self, name, *args):
        path = os.path.join(self.dir, name)
        if not os.path.exists(path):
            sox(self.base, *args, path)
        with open(path, "rb") as f:
            return f.read()

    def reference(self, name):
        path = os.path.join(self.dir, name)
        raw = sox(path, "-r", "8000", "-c", "1", "-e", "signed", "-b", "16", "-t", "raw", "-")
        return struct.unpack(f"<{len(raw) // 2}h", raw)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


def snr_db(reference, got, shift=0):
    n = min(len(reference), len(got)) - 400
    signal_power = sum(reference[i] ** 2 for i in range(400, n))
    noise = sum((reference[i] - got[i + shift]) ** 2 for i in range(400, n))
    return 10 * math.log10(signal_power / max(noise, 1))


def compare(reference, got, least_db, what):
    """Lossy decoders may begin some samples apart; the level and the sound must be the same."""
    best = max(snr_db(reference, got, shift) for shift in range(-2, 3))
    check(best >= least_db, f"{what}: only {best:.1f} dB like sox's conversion")
    check(abs(len(reference) - len(got)) <= 1200, f"{what}: {len(got)} samples for {len(reference)}")


class Bed:
    def __init__(self, build):
        self.build, self.origin, self.sounds, self.hosts = build, Origin(), Sounds(), []

    def host(self, **settings):
        h = Host(self.build, **settings)
        self.hosts.append(h)
        return h

    def end_case(self):
        hosts, self.hosts = self.hosts, []
        for h in hosts:
            h.close()

    def close(self):
        self.origin.close()
        self.sounds.close()


def case_hit_and_miss(bed):
    h, url = bed.host(), bed.origin.put("/hit.wav", bed.sounds.make("hit.wav"))
    first = h.good(url)
    equal(first["served"], "miss")
    equal((first["codec"], first["ptime"]), ("PCMU", 20))
    second = h.ready(url)
    equal((second["served"], second["state"]), ("hit", "ready"))
    for key in ("address", "item", "generation"):
        equal(second[key], first[key], key)
    check(first["lease"] != second["lease"], "two leases are one")
    equal(second["frames"], 125)
    equal(second["duration_ms"], 2500)
    equal(bed.origin.count("/hit.wav"), 1, "requests to the origin")
    body = h.frames(second)
    equal(len(body), 125 * 160, "payload")
    status, same, fields = h.raw("GET", second["address"].rsplit("/", 1)[0] + ".PCMU")
    equal((status, same == body, fields["Content-Type"]), (200, True, "audio/basic"))
    equal(h.raw("GET", second["address"], {"If-None-Match": fields["ETag"]})[0], 304, "If-None-Match")
    other = h.ready(url, codec="PCMA")
    check(other["address"].split("/")[3] != second["address"].split("/")[3], "two codecs have one digest")
    equal(h.raw("GET", other["address"])[2]["Content-Type"], "audio/x-alaw-basic")
    equal(all(r[0] == "GET" for r in bed.origin.requests), True, "only GET")
    h.release(first)
    equal(h.raw("DELETE", f"/v1/leases/{first['lease']}")[0], 404, "a lease ends once")
    s = h.stats()
    check(s["hits"] >= 1 and s["misses"] >= 2 and s["fetches"] == 2, s)
    listed = h.json("GET", "/v1/media")[1]
    equal((listed["total"], listed["items"][0]["source"]), (2, url))


def case_formats(bed):
    h = bed.host()
    for name, args, least in (("a.wav", (), 30), ("a24.wav", ("-b", "24"), 30), ("f.wav", ("-e", "float"), 30),
                              ("mono.wav", ("-c", "1", "-r", "8000"), 34), ("a.aiff", (), 30), ("a.flac", (), 30),
                              ("a.ogg", (), 15), ("a.mp3", ("-C", "128"), 15), ("u.wav", ("-e", "mu-law", "-r", "16000"), 28),
                              ("a.au", ("-b", "16"), 30)):
        url = bed.origin.put("/" + name, bed.sounds.make(name, *args), "application/octet-stream")
        reference = bed.sounds.reference(name)
        for codec, decode in (("PCMU", ulaw), ("PCMA", alaw)):
            answer = h.ready(url, codec=codec)
            compare(reference, decode(h.frames(answer)), least, f"{name} {codec}")


def case_raw_bodies(bed):
    h = bed.host()
    body = bed.sounds.make("raw.ul", "-r", "8000", "-c", "1", "-e", "mu-law", "-t", "raw")[:16001]
    answer = h.ready(bed.origin.put("/raw", body, "audio/basic"))
    frames = h.frames(answer)
    equal(len(frames), 101 * 160, "length of the payload")
    equal(ulaw(frames[:16001]), ulaw(body), "u-law samples are not touched")
    equal(frames[16001:], b"\xff" * 159, "silence at the end")
    h.ready(bed.origin.put("/raw.ulaw", body, "application/octet-stream"))
    gsm = bed.sounds.make("raw.gsm", "-r", "8000", "-c", "1", "-t", "gsm")
    answer = h.ready(bed.origin.put("/raw.gsm", gsm, "audio/x-gsm"))
    compare(bed.sounds.reference("raw.gsm"), ulaw(h.frames(answer)), 20, "GSM")
    l16 = bed.sounds.make("l16.raw", "-r", "16000", "-c", "1", "-e", "signed", "-b", "16", "-B", "-t", "raw")
    answer = h.ready(bed.origin.put("/l16", l16, "audio/L16; rate=16000"))
    bed.sounds.make("mono8.wav", "-c", "1", "-r", "8000")
    compare(bed.sounds.reference("mono8.wav"), ulaw(h.frames(answer)), 30, "L16")
    h.bad(bed.origin.put("/page", b"<!DOCTYPE html><html>sorry</html>" * 50, "audio/basic"), "not-audio")


def case_coalescing(bed):
    h = bed.host()
    url = bed.origin.put("/slow.wav", bed.sounds.make("hit.wav"), wait=0.5)
    answers, lock = [], threading.Lock()

    def ask():
        status, answer = h.resolve(url)
        with lock:
            answers.append((status, answer))

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    equal([s for s, _ in answers], [200] * 40)
    equal(len({a["address"] for _, a in answers}), 1, "addresses")
    equal(len({a["lease"] for _, a in answers}), 40, "leases")
    equal(bed.origin.count("/slow.wav"), 1, "requests to the origin")
    equal(h.stats()["leases_open"], 40)


def case_origin_errors(bed):
    h = bed.host(max_source_kib=64)
    answer = h.bad(bed.origin.url("/nothing.wav"), "origin-status")
    equal(answer["origin_status"], 404)
    h.bad(bed.origin.url("/nothing.wav"), "origin-status")
    equal(bed.origin.count("/nothing.wav"), 1, "a failure of a moment ago is remembered")
    h.bad(bed.origin.put("/500.wav", b"x" * 1000000, status=500), "origin-status")
    h.bad(bed.origin.put("/page.wav", b"<html>error</html>", "text/html"), "not-audio")
    h.bad(bed.origin.put("/json.wav", b"{}", "application/json"), "not-audio")
    h.bad(bed.origin.put("/hidden.wav", b"<html>error</html>", "audio/wav"), "not-audio")
    h.bad(bed.origin.put("/noise.wav", bytes(range(256)) * 9, "audio/wav"), "not-audio")
    h.bad(bed.origin.put("/empty.wav", b"", "audio/wav"), "not-audio")
    h.bad(bed.origin.put("/large.wav", b"RIFF" + bytes(70000), "audio/wav"), "too-large")

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(bytes(4000))
    bed.origin.pages["/endless.wav"] = endless
    h.bad(bed.origin.url("/endless.wav"), "too-large")

    def slow(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"R")
            time.sleep(0.1)
    bed.origin.pages["/drip.wav"] = slow
    h.bad(bed.origin.url("/drip.wav"), "timeout", within=4)

    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "50000")
        handler.end_headers()
        handler.wfile.write(bed.sounds.make("hit.wav")[:20000])
    bed.origin.pages["/cut.wav"] = cut
    h.bad(bed.origin.url("/cut.wav"), "truncated")
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    h.bad(f"http://127.0.0.1:{closed.getsockname()[1]}/a.wav", "unreachable")
    closed.close()
    h.bad("http://no-such-name.invalid/a.wav", "unresolved")
    h.bad(f"https://127.0.0.1:{bed.origin.port}/a.wav", "tls")
    equal(h.json("GET", "/v1/media")[1]["total"], 0, "nothing is cached")


def case_damaged_sounds(bed):
    h = bed.host(max_seconds=5)
    mp3 = bed.sounds.make("cut.mp3", "-C", "64")
    answer = h.ready(bed.origin.put("/cut.mp3", mp3[:len(mp3) // 2], "audio/mpeg"))
    check(800 < answer["duration_ms"] < 1800, f"half an MP3 plays {answer['duration_ms']} ms")
    wav = bed.sounds.make("hit.wav")
    answer = h.ready(bed.origin.put("/half.wav", wav[:len(wav) // 2]))
    check(1200 <= answer["duration_ms"] <= 1300, f"half a WAV plays {answer['duration_ms']} ms")
    h.bad(bed.origin.put("/head.wav", wav[:44]), "decode")
    flac = bytearray(bed.sounds.make("a.flac"))
    for i in range(2000, len(flac), 97):
        flac[i] ^= 0x5a
    status, _ = h.resolve(bed.origin.put("/broken.flac", bytes(flac), "audio/flac"))
    check(status in (200, 502), "broken FLAC")
    sox("-n", "-r", "8000", "-c", "1", "-b", "16", os.path.join(bed.sounds.dir, "six.wav"), "synth", "6", "sine", "400")
    h.bad(bed.origin.put("/six.wav", bed.sounds.make("six.wav")), "too-large")
    sox("-n", "-r", "8000", "-c", "1", os.path.join(bed.sounds.dir, "six.mp3"), "synth", "6", "sine", "400")
    h.bad(bed.origin.put("/six.mp3", bed.sounds.make("six.mp3"), "audio/mpeg"), "too-large")


def case_addresses_and_redirects(bed):
    h, url = bed.host(), bed.origin.put("/ok.wav", bed.sounds.make("hit.wav"))
    port = bed.origin.port
    refused = bed.host(allow="")
    refused.bad(url, "refused-address", within=2)
    refused.bad(f"http://localhost:{port}/ok.wav", "refused-address", within=2)
    for host in ("0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "10.0.0.1", "169.254.169.254", "224.0.0.1"):
        refused.bad(f"http://{host}:{port}/ok.wav", "refused-address", within=2)
    count = bed.origin.count("/ok.wav")

    def redirect(path, to, status=302):
        return bed.origin.put(path, b"moved", "text/plain", status, Location=to)
    h.ready(redirect("/r1.wav", "/ok.wav"))
    equal(bed.origin.count("/ok.wav"), count + 1, "the redirect was followed")
    h.bad(redirect("/to10.wav", "http://10.0.0.1/ok.wav"), "refused-address", within=2)
    h.bad(redirect("/to6.wav", f"http://[::1]:{port}/ok.wav"), "refused-address", within=2)
    h.bad(redirect("/loop.wav", "/loop.wav"), "redirect")
    equal(bed.origin.count("/loop.wav"), 11, "hops")
    h.bad(redirect("/file.wav", "file:///etc/passwd"), "redirect")
    h.bad(redirect("/ftp.wav", "ftp://127.0.0.1/x"), "redirect")
    h.bad(bed.origin.put("/nowhere.wav", b"", "text/plain", 302), "redirect")
    bed.origin.put("/secret.wav", bed.sounds.make("hit.wav"))
    with_user = f"http://user:pw@127.0.0.1:{port}/secret.wav"
    h.bad(with_user, "bad-request")
    one = h.ready(with_user, account="AC1")
    two = h.ready(with_user, account="AC2")
    check(one["address"] != two["address"], "accounts share what is fetched with credentials")
    check(any(r[2].get("Authorization") for r in bed.origin.requests if r[1] == "/secret.wav"), "credentials are sent")
    check("pw" not in h.read_log() and "pw" not in json.dumps(h.json("GET", "/v1/media")[1]), "a password is shown")


def case_freshness(bed):
    h, body = bed.host(fresh_seconds=1), bed.sounds.make("hit.wav")
    etags = []

    def page(handler):
        etags.append(handler.headers.get("If-None-Match"))
        if handler.headers.get("If-None-Match") == '"a"':
            handler.send_response(304)
            handler.end_headers()
        else:
            bed.origin.send(handler, 200, body, "audio/wav", ETag='"a"', Cache_Control="max-age=1")
    bed.origin.pages["/etag.wav"] = page
    url = bed.origin.url("/etag.wav")
    first = h.ready(url)
    equal(etags, [None])
    time.sleep(1.2)
    again = h.good(url)
    equal(etags, [None, '"a"'], "revalidation")
    equal((again["served"], again["address"]), ("hit", first["address"]))
    equal(h.stats()["revalidated"], 1)

    url = bed.origin.put("/new.wav", body)
    first = h.ready(url)
    bed.origin.put("/new.wav", body[:len(body) // 2])
    time.sleep(1.2)
    old_frames = h.frames(first)
    second = h.ready(url)
    check(second["address"] != first["address"], "new content under an old address")
    equal(second["address"].split("/")[3], first["address"].split("/")[3], "digest")
    equal(h.frames(first) == old_frames, True, "what is leased stays")
    h.release(first)
    time.sleep(1.5)
    equal(h.raw("GET", first["address"])[0], 404, "the old version goes when nobody needs it")

    url = bed.origin.put("/once.wav", body, Cache_Control="no-store")
    first = h.good(url)
    time.sleep(0.3)  # while it is being made, it is for everybody who waits
    second = h.good(url)
    equal((first["served"], second["served"], bed.origin.count("/once.wav")), ("miss", "miss", 2))
    check(first["address"] != second["address"], "no-store is served again")


def case_eviction(bed):
    h = bed.host(arena_mib=1, max_seconds=600)
    body = bed.sounds.make("hit.wav")  # 125 frames: 20 KiB in blocks
    urls = [bed.origin.put(f"/e{i}.wav", body) for i in range(80)]
    kept = h.ready(urls[0])
    for url in urls[1:]:
        h.release(h.ready(url))
    s = h.stats()
    check(s["evictions"] > 20, s)
    equal(h.good(urls[0])["served"], "hit", "what is leased is not evicted")
    equal(len(h.frames(kept)), 20000)
    equal(h.good(urls[1])["served"], "miss", "the least recently used went")
    sox("-n", "-r", "8000", "-c", "1", "-b", "16", os.path.join(bed.sounds.dir, "huge.wav"), "synth", "150", "sine", "400")
    h.bad(bed.origin.put("/huge.wav", bed.sounds.make("huge.wav")), "arena-full")
    few = bed.host(items=4)
    leased = [few.ready(u) for u in urls[:4]]
    few.bad(urls[5], "arena-full")
    few.release(leased[0])
    for a in leased[1:]:
        equal(len(few.frames(a)), 20000)
    few.ready(urls[6])


def case_eviction_under_workers(bed):
    """Memory comes back only when the poll-mode worker has moved on; a miss waits for it."""
    body, mp3 = bed.sounds.make("hit.wav"), bed.sounds.make("a.mp3", "-C", "128")
    h = bed.host(arena_mib=1, loop_ms=5)
    for i in range(120):
        sound = mp3 if i % 3 == 0 else body
        answer = h.ready(bed.origin.put(f"/w{i}", sound, "audio/x"))
        check(len(h.frames(answer)) >= 20000, "frames")
        h.release(answer)
    check(h.stats()["evictions"] > 50, h.stats())
    hung = bed.host(arena_mib=1, loop_ms=0)
    for i in range(51):
        hung.release(hung.ready(bed.origin.url(f"/w{3 * (i // 2) + 1 + i % 2}")))
    for name in ("/w100", "/w99"):
        hung.bad(bed.origin.url(name), "arena-full", within=6)


def case_restart(bed):
    h, url = bed.host(), bed.origin.put("/stay.wav", bed.sounds.make("hit.wav"))
    first = h.ready(url)
    frames = h.frames(first)
    h.kill()
    check(os.path.exists(h.socket), "a killed process leaves its socket")
    h.start()
    again = h.good(url)
    equal((again["served"], again["address"], again["item"]), ("hit", first["address"], first["item"]))
    equal(h.frames(again) == frames, True, "frames")
    second = subprocess.run([f"{h.build}/tests/unit/cache/media_host", h.settings], capture_output=True)
    check(second.returncode == 1, "a second service on the same region")


def case_rogue_worker(bed):
    h = bed.host(worker=os.path.abspath(f"{bed.build}/tests/unit/cache/rogue_worker"), worker_seconds=1)
    put = bed.origin.put
    equal(h.bad(put("/open", b"open"), "internal")["sentence"], "open was refused")
    for misdeed in ("socket", "exec", "fork", "kill", "ptrace", "code"):
        answer = h.bad(put(f"/{misdeed}", misdeed.encode()), "decode")
        check("SIGSYS" in answer["sentence"], f"{misdeed}: {answer}")
    # (AddressSanitizer's own handler for it then does what isn't allowed.)
    check("crashed (SIGS" in h.bad(put("/segv", b"segv"), "decode")["sentence"], "crash")
    check("CPU" in h.bad(put("/spin", b"spin"), "decode")["sentence"], "endless computing")
    for misdeed in ("memory", "garbage", "flood", "short", "quit"):
        h.bad(put(f"/{misdeed}", misdeed.encode()), "decode")
    time.sleep(1.2)
    equal(h.stats()["items_used"], 0, "items")
    equal(h.stats()["workers_running"], 0, "workers")


def case_bad_requests(bed):
    h = bed.host()
    for query in ("codec=PCMU", "source=", "source=ftp%3A%2F%2Fx%2Fy", "source=no-uri", "source=file%3A%2F%2F%2Fetc%2Fpasswd",
                  "source=http%3A%2F%2Fx%2F&codec=opus", "source=http%3A%2F%2Fx%2F&ptime=30", "source=http%3A%2F%2Fx%2F&voice=a",
                  "source=http%3A%2F%2Fx%2F&source=http%3A%2F%2Fy%2F", "source=http%3A%2F%2Fx%2F&account=..%2F",
                  "source=http%3A%2F%2Fx%2F%0d%0aX", "source=http%3A%2F%2F" + "a" * 9000):
        status, answer = h.json("GET", "/v1/media?" + query)
        equal((status, answer["error"]), (400, "bad-request"), query[:60])
    for method, path, wanted in (("POST", "/v1/media", 405), ("GET", "/v1/leases/LE" + "0" * 32, 405),
                                 ("DELETE", "/v1/leases/LE" + "0" * 32, 404), ("GET", "/", 404),
                                 ("GET", "/v1/media/" + "0" * 64 + ".PCMU", 404), ("GET", "/v1/media/x.PCMU", 404)):
        equal(h.raw(method, path)[0], wanted, f"{method} {path}")
    long = bed.origin.put("/long.wav", bed.sounds.make("hit.wav")) + "?signature=" + "s" * 6000
    h.ready(long)
    equal(h.raw("HEAD", "/v1/media/stats")[0], 200)


CASES = {name.removeprefix("case_"): value for name, value in list(globals().items()) if name.startswith("case_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    if not shutil.which("sox"):
        print("SKIP: sox is missing")
        return 77
    if not os.path.exists(os.path.join(args.build, "tests/unit/cache/media_host")):
        print(f"{args.build} has no tests/unit/cache/media_host: build it first")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bed, failed = Bed(args.build), []
    try:
        for name in args.cases or CASES:
            began = time.monotonic()
            try:
                try:
                    CASES[name](bed)
                finally:
                    logs = "".join(h.read_log() for h in bed.hosts)
                    bed.end_case()
            except Exception:
                failed.append(name)
                traceback.print_exc(file=sys.stdout)
                print(logs[-3000:])
            print(f"{'FAIL' if name in failed else 'PASS'} {name} ({time.monotonic() - began:.1f} s)", flush=True)
    finally:
        bed.close()
    print(f"{len(args.cases or CASES) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
