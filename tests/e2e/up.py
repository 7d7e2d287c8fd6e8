#!/usr/bin/python3
"""The gateway in the foreground, for a softphone on this host: `./run up`.

    this host 198.18.1.1 ---- veth ---- 198.18.1.2 the gateway (namespace tollgate-bed-...-up)

nginx in the same namespace answers with the example documents and a spoken prompt. Ctrl-C or SIGTERM ends it
and removes what it made; what a killed one left is removed at the next start."""

import argparse
import contextlib
import os
import shutil
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

from bed import gateway, network, owner, prompt, region, registry  # noqa: E402
from bed.gateway import Gateway  # noqa: E402
from bed.namespace import Namespace  # noqa: E402
from bed.process import Failure, call  # noqa: E402
from bed.web import Web  # noqa: E402

HOST, GATEWAY = "198.18.1.1", "198.18.1.2"
RANGE = "198.18.1.0/24"
INTERFACE = "tollgate-up"
EXAMPLES = os.path.join(ROOT, "examples", "www")


def say(text):
    print(text, flush=True)


def connect(stack):
    """The gateway's namespace and the host's end of the cable."""
    if os.path.exists(f"/sys/class/net/{INTERFACE}"):
        raise Failure(f"the interface {INTERFACE} is there already: is ./run up running? If not, run: "
                      f"ip link del {INTERFACE}")
    namespace = Namespace("up")
    stack.callback(namespace.remove)
    network.connect(namespace, "media0", f"{GATEWAY}/24", None, INTERFACE)
    call("ethtool", "-K", INTERFACE, "tx", "off")
    call("ip", "address", "add", f"{HOST}/24", "dev", INTERFACE)
    call("ip", "link", "set", INTERFACE, "up")
    call("ip", "-n", namespace.name, "route", "add", "default", "via", HOST)
    return namespace


def example_settings(directory):
    changes = {"sip": {"trunks": [{"name": "softphone", "address": RANGE, "target": HOST}]},
               "http": {"allow": [RANGE]}, "media": {"arena_mib": 64}}
    base = gateway.default_settings(directory, owner.name("region"), address=GATEWAY)
    return gateway.settings.merge(base, changes)


def run(stack, build):
    directory = owner.make_directory()
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    namespace = connect(stack)
    web = Web(namespace, directory)
    stack.callback(web.close)
    shutil.copytree(EXAMPLES, web.root, dirs_exist_ok=True)
    prompt.make(web.path("prompt.wav"))
    groups = registry.two_modules(f"{web.url}/front-desk/start.xml", f"{web.url}/connect/start.xml")
    up = Gateway(namespace, directory, build, registry.text(groups), base=example_settings(directory),
                 echo=say)
    stack.callback(up.remove)
    up.start()
    say(f"\nCall sip:{registry.NUMBER}@{GATEWAY} from a softphone on this host (its own address: {HOST}).")
    say(f"Look on with: {' '.join(up.tool.argv('top'))}")
    say("Ctrl-C ends it.\n")
    try:
        while True:
            for plane in gateway.PROGRAMS:
                if not up.plane(plane).running():
                    raise Failure(f"{plane} ended by itself:\n{up.plane(plane).tail()}")
            time.sleep(1)
    except Stop:
        say("ending")
        up.stop()


class Stop(Exception):
    """SIGINT or SIGTERM came; a second one is not heard."""


def _on_signal(*_):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stop


def main():
    parser = argparse.ArgumentParser(description="The gateway in the foreground.")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _on_signal)
    owner.sweep()
    with contextlib.ExitStack() as stack:
        try:
            region.require()
            run(stack, os.path.abspath(options.build))
        except Failure as failure:
            say(f"up: {failure}")
            return 1
        except Stop:
            say("up: ended before it was ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())
