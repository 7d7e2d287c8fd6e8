"""Caller, callee, web and gateway on one switch.

    caller 198.18.0.10   callee 198.18.0.20   web 198.18.0.30   gateway 198.18.0.2 (interface media0)
                    \\             |              /              |
                     +------------- switch (a bridge) ----------+

198.18.0.0/15 is set aside for such networks (RFC 2544). Each host has an IPv6 address too: 2001:db8::2 is the
gateway's, the others end likewise (RFC 3849)."""

import os

from bed.namespace import Namespace
from bed.process import call

CALLER = "198.18.0.10"
CALLEE = "198.18.0.20"
WEB = "198.18.0.30"
GATEWAY = "198.18.0.2"
CALLER6 = "2001:db8::10"
CALLEE6 = "2001:db8::20"
WEB6 = "2001:db8::30"
GATEWAY6 = "2001:db8::2"
RANGE = "198.18.0.0/24"
PREFIX_LENGTH = 24


def connect(inside, interface, address, far, far_interface):
    """A veth pair from one namespace to another (far: its name, or None for the namespace we run in)."""
    place = ["netns", far or str(os.getpid())]
    call("ip", "-n", inside.name, "link", "add", interface, "type", "veth", "peer", "name", far_interface, *place)
    # Whole checksums: a veth would pass on frames whose checksum the receiving kernel alone may skip.
    inside.call("ethtool", "-K", interface, "tx", "off")
    call("ip", "-n", inside.name, "address", "add", address, "dev", interface)
    call("ip", "-n", inside.name, "link", "set", interface, "up")
    inside.interface, inside.address = interface, address.partition("/")[0]


class Network:
    def __init__(self):
        self._made = []
        try:
            self.switch = self._make("switch")
            call("ip", "-n", self.switch.name, "link", "add", "bridge0", "type", "bridge", "forward_delay", "0",
                 "mcast_snooping", "0")
            call("ip", "-n", self.switch.name, "link", "set", "bridge0", "up")
            self.gateway = self._host("gateway", "media0", GATEWAY, GATEWAY6)
            self.caller = self._host("caller", "eth0", CALLER, CALLER6)
            self.callee = self._host("callee", "eth0", CALLEE, CALLEE6)
            self.web = self._host("web", "eth0", WEB, WEB6)
        except BaseException:
            self.remove()
            raise

    def _make(self, host):
        namespace = Namespace(host)
        self._made.append(namespace)
        return namespace

    def _host(self, host, interface, address, address6):
        namespace = self._make(host)
        port = f"to-{host}"
        connect(namespace, interface, f"{address}/{PREFIX_LENGTH}", self.switch.name, port)
        call("ip", "-n", self.switch.name, "link", "set", port, "master", "bridge0", "up")
        call("ip", "-n", namespace.name, "address", "add", f"{address6}/64", "dev", interface, "nodad")
        namespace.address6 = address6
        return namespace

    def remove(self):
        for namespace in reversed(self._made):
            namespace.remove()
        self._made.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()
