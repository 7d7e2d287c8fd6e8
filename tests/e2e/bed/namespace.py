"""One host: a network namespace with one interface on the switch."""

import ctypes
import contextlib
import os
import socket

from bed import owner
from bed.process import Process, call

_libc = ctypes.CDLL("libc.so.6", use_errno=True)
_CLONE_NEWNET = 0x40000000


class Namespace:
    def __init__(self, host, namespace_name=None):
        self.host = host
        self.name = namespace_name or owner.name(host)
        self.interface = None
        self.address = None
        self.address6 = None
        call("ip", "netns", "add", self.name)
        try:
            call("ip", "-n", self.name, "link", "set", "lo", "up")
        except BaseException:
            self.remove()
            raise

    @property
    def path(self):
        return os.path.join(owner.NETNS_DIR, self.name)

    def argv(self, *argv):
        """A command line that runs inside. Only the network changes: mounts stay as they are."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def call(self, *argv, **more):
        return call(*self.argv(*argv), **more)

    def start(self, argv, log_path, **more):
        return Process(self.argv(*argv), log_path, **more)

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is inside while the block runs; sockets that it makes stay inside."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(self.path, "rb") as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def socket(self, kind=socket.SOCK_DGRAM, bind=None, family=None):
        """family: of the socket; left out, that of the address it is bound to, or IPv4."""
        if family is None:
            family = socket.AF_INET6 if bind and ":" in bind[0] else socket.AF_INET
        with self.entered():
            made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if bind:
            made.bind(bind)
        return made

    def remove(self):
        owner.remove_namespace(self.name)


def _setns(descriptor):
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
