#!/usr/bin/python3
"""The gateway in the foreground, for a softphone on this host: `./run up`.

    this host 198.18.1.1 ---- veth ---- 198.18.1.2 the gateway (namespace tollgate-bed-...-up)

nginx in the same namespace answers with the example documents and a spoken prompt. A plane that ends is started
again. Ctrl-C or SIGTERM ends all of it and removes what it made; what a killed one left is removed at the next
start."""

import argparse
import contextlib
import os
import re
import shutil
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

from bed import gateway, network, owner, prompt, region  # noqa: E402
from bed.gateway import Gateway  # noqa: E402
from bed.namespace import Namespace  # noqa: E402
from bed.process import Failure, call, wait_until  # noqa: E402
from bed.supervisor import Supervisor  # noqa: E402
from bed.web import Web  # noqa: E402

HOST, GATEWAY = "198.18.1.1", "198.18.1.2"
INTERFACE = "tollgate-up"
NUMBER = "100"  # of examples/registry.conf
EXAMPLES = os.path.join(ROOT, "examples")


def say(text):
    print(text, flush=True)


def connect(stack):
    """The gateway's namespace and the host's end of the cable."""
    # The kernel removes the cable of a namespace that was swept up a little later than the namespace.
    wait_until(f"the interface {INTERFACE} is gone: is ./run up running already? If not, run: "
               f"ip link del {INTERFACE}", lambda: not os.path.exists(f"/sys/class/net/{INTERFACE}"), timeout=5)
    namespace = Namespace("up")
    stack.callback(namespace.remove)
    network.connect(namespace, "media0", f"{GATEWAY}/24", None, INTERFACE)
    call("ethtool", "-K", INTERFACE, "tx", "off")
    call("ip", "address", "add", f"{HOST}/24", "dev", INTERFACE)
    call("ip", "link", "set", INTERFACE, "up")
    call("ip", "-n", namespace.name, "route", "add", "default", "via", HOST)
    return namespace


def example_settings(directory):
    """The example's text with directories and region of our own, so that it runs beside others and leaves
    nothing behind."""
    with open(os.path.join(EXAMPLES, "gateway.conf"), encoding="utf-8") as file:
        text = file.read()
    own = {r'state_dir = "[^"]*";': f'state_dir = "{gateway.state_directory(directory)}";',
           r'run_dir = "[^"]*";': f'run_dir = "{gateway.run_directory(directory)}";',
           r'(region: \{\s*)': rf'\1name = "{gateway.region_name()}"; '}
    for pattern, value in own.items():
        text, found = re.subn(pattern, value, text)
        if found != 1:
            raise Failure(f"examples/gateway.conf has {found} places like {pattern}, not one")
    return text


def run(stack, build):
    directory = owner.make_directory()
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    namespace = connect(stack)
    web = Web(namespace, directory)
    stack.callback(web.close)
    shutil.copytree(os.path.join(EXAMPLES, "www"), web.root, dirs_exist_ok=True)
    prompt.make(web.path("prompt.wav"))
    with open(os.path.join(EXAMPLES, "registry.conf"), encoding="utf-8") as file:
        accounts = file.read()
    up = Gateway(namespace, directory, build, example_settings(directory), accounts, echo=say)
    stack.callback(up.remove)
    up.start()
    supervisor = Supervisor(up, say=lambda text: say(f"up: {text}"))
    stack.callback(supervisor.close)
    say(f"\nCall sip:{NUMBER}@{GATEWAY} from a softphone on this host (its own address: {HOST}).")
    say(f"Look on with: {' '.join(up.tool.argv('top'))}")
    say("Ctrl-C ends it.\n")
    try:
        supervisor.wait()
    except Stop:
        say("ending")
        supervisor.rest()
        up.stop()


class Stop(Exception):
    """SIGINT or SIGTERM came; a second one is not heard."""


def _on_signal(*_):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise Stop


def main():
    parser = argparse.ArgumentParser(prog="./run up", description="The gateway in the foreground.")
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
