"""A server of answers good and bad for test_fetcher: fetch_server.py FOLDER

Listens on FOLDER/http, on one free port of 127.0.0.1 and 127.0.0.2, and on another with TLS and a certificate that
nobody knows; prints both ports. Ends when its input ends.
"""

import asyncio
import os
import ssl
import subprocess
import sys

tries = {}  # path: how often it was asked for


def answer(status, body, headers=()):
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def respond(writer, method, path, head, body, serial):
    """Returns False when the connection is to be closed."""
    word, _, rest = path.lstrip("/").partition("?")[0].partition("/")
    tries[path] = tries.get(path, 0) + 1
    if word == "ok":
        out = answer(200, b"<Response/>", ["Content-Type: text/xml"])
    elif word == "echo":
        out = answer(200, head.encode("latin-1") + b"\n\n" + body, ["Content-Type: text/plain"])
    elif word == "status":
        out = answer(int(rest), b"sorry")
    elif word == "slow":
        await asyncio.sleep(int(rest) / 1000)
        out = answer(200, b"late")
    elif word == "drip":  # a byte every so many ms
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            writer.write(b"x")
            await asyncio.sleep(int(rest) / 1000)
        return True
    elif word == "stall":  # a beginning without an end
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 10\r\n\r\nxxx")
        await asyncio.sleep(60)
        return False
    elif word == "hop":  # /hop/N: N more redirects
        target = f"/hop/{int(rest) - 1}" if int(rest) else "/ok"
        out = answer(302, b"", [f"Location: {target}"])
    elif word == "to":  # /to/STATUS/URL
        status, _, target = rest.partition("/")
        out = answer(int(status), b"moved", [f"Location: {target}"])
    elif word == "nowhere":
        out = answer(302, b"")
    elif word == "big":
        out = answer(200, b"x" * int(rest))
    elif word == "chunked":
        data = b"x" * int(rest)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        out = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
    elif word == "flaky":  # /flaky/N/...: 503 N times
        out = answer(503 if tries[path] <= int(rest.split("/")[0]) else 200, b"%d" % tries[path])
    elif word == "cookie":
        out = answer(200, b"", [f"Set-Cookie: taste={rest}; Path=/"])
    elif word == "serial":
        out = answer(200, b"%d" % serial)
    elif word == "garbage":
        writer.write(b"this is no HTTP\r\n\r\n")
        return False
    elif word == "drop":
        return False
    elif word == "half":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxxx")
        return False
    else:
        out = answer(404, b"no such path")
    writer.write(out)
    return True


serials = 0


async def serve(reader, writer):
    global serials
    serials += 1
    serial = serials
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip()
            method, path, _ = head.split("\r\n")[0].split(" ")
            length = 0
            for line in head.split("\r\n")[1:]:
                if line.lower().startswith("content-length:"):
                    length = int(line.split(":")[1])
            body = await reader.readexactly(length)
            if not await respond(writer, method, path, head, body, serial):
                break
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        pass
    writer.close()


def unknown_certificate(folder):
    key, certificate = f"{folder}/key", f"{folder}/certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    os.unlink(key)
    os.unlink(certificate)
    return context


async def main():
    folder = sys.argv[1]
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=2048)
    port = server.sockets[0].getsockname()[1]
    await asyncio.start_server(serve, "127.0.0.2", port)
    await asyncio.start_unix_server(serve, f"{folder}/http")
    tls = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=unknown_certificate(folder))
    print(port, tls.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os.unlink(f"{folder}/http")


asyncio.run(main())
