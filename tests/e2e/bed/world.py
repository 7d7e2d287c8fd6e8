"""Everything that one test case has: a network, a web server, a gateway, far ends, captures. Made when asked
for, and all gone when the case is over, however it ended."""

import contextlib
import os
import shutil

from bed import cdr, document, network, owner, pcap, prompt, registry, rtp, settings
from bed.capture import Capture
from bed.gateway import Gateway, default_settings, state_directory
from bed.phone import Phone
from bed.process import Failure, call, wait_until
from bed.sipp import MEDIA_PORT, SIP_PORT, Sipp
from bed.web import Web

CALLED = registry.NUMBER
DIALLED = "2001"


class World:
    def __init__(self, build, keep=None, echo=None):
        """keep: directory that the case's files are copied to when it fails."""
        self.build = build
        self._keep = keep
        self._echo = echo
        self._stack = contextlib.ExitStack()
        self.directory = owner.make_directory()
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self.network = self._stack.enter_context(network.Network())
        self.web = Web(self.network.web, self.directory)
        self._stack.callback(self.web.close)
        self.gateway = None
        self._captures = {}

    # --- the gateway and what it is asked to do ----------------------------------------------------

    def prompt(self, name="prompt.wav", **more):
        """A prompt on the web server. Returns its URL."""
        prompt.make(self.web.path(name), **more)
        return f"{self.web.url}/{name}"

    def documents(self, front, connect=None):
        """Puts the documents of both modules. Returns the registry's groups."""
        front_url = self.web.put("front-desk/start.xml", front)
        connect_url = self.web.put("connect/start.xml", connect or document.response(document.dial(DIALLED)))
        return registry.two_modules(front_url, connect_url)

    def front_desk(self, seconds=3):
        """The demonstration's documents: a prompt, a digit, then the other module."""
        asked = document.gather("next.xml", document.play(self.prompt(seconds=seconds)))
        self.web.put("front-desk/next.xml", document.response(document.module(registry.CONNECT)))
        return self.documents(document.response(asked, document.hangup()))

    def make_gateway(self, groups, changes=None):
        """groups: of the registry; changes: settings in place of the bed's own, by group and key."""
        own = settings.merge(default_settings(self.directory), changes)
        self.gateway = Gateway(self.network.gateway, self.directory, self.build, settings.text(own),
                               settings.text(groups), self._echo)
        self._stack.callback(self.gateway.remove)
        return self.gateway

    def start_gateway(self, groups, changes=None):
        return self.make_gateway(groups, changes).start()

    def origin(self):
        """A second web server, for sounds alone."""
        directory = os.path.join(self.directory, "origin")
        os.makedirs(directory)
        made = Web(self.network.web, directory, port=8080)
        self._stack.callback(made.close)
        return made

    def small_disk(self, mib):
        """Puts the gateway's state directory on a disk of its own. Returns the directory."""
        state = state_directory(self.directory)
        os.makedirs(state)
        call("mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", state)
        self._stack.callback(call, "umount", "-l", state)
        return state

    def huge_pages(self, mib):
        """A file system of huge pages of its own, with room for so much. Returns its directory."""
        directory = os.path.join(self.directory, "huge")
        os.makedirs(directory)
        call("mount", "-t", "hugetlbfs", "-o", f"size={mib}M", "none", directory)
        self._stack.callback(call, "umount", "-l", directory)
        return directory

    # --- far ends ------------------------------------------------------------------------------------

    def caller(self, *steps, host=None, label="caller", number=CALLED, remote=network.GATEWAY, **more):
        return self._sipp(host or self.network.caller, label, steps, remote=remote, number=number, **more)

    def callee(self, *steps, label="callee", **more):
        return self._sipp(self.network.callee, label, steps, **more)

    def _sipp(self, host, label, steps, **more):
        sipp = Sipp(host, self.directory, label, steps, **more)
        self._stack.callback(sipp.close)
        return sipp

    def phone(self, host, port=MEDIA_PORT, **more):
        return self._stack.enter_context(Phone(host, port, **more))

    def capture(self, *hosts):
        for host in hosts or (self.network.caller, self.network.callee):
            capture = Capture(host, os.path.join(self.directory, f"{host.host}.pcap"),
                              os.path.join(self.directory, f"dumpcap-{host.host}.log"))
            self._stack.callback(capture.kill)
            self._captures[host.host] = capture

    def captured(self, host):
        """Ends the capture at the host and returns its file."""
        return self._captures[host].stop()

    def streams(self, host):
        """Ends the capture at the host and returns its RTP streams."""
        return rtp.streams(self.captured(host))

    def sip(self, host):
        """Ends the capture at the host and returns the SIP datagrams in it: (source, first line)."""
        path = self.captured(host)
        return [(datagram.source, datagram.payload.partition(b"\r\n")[0].decode("ascii", "replace"))
                for datagram in pcap.datagrams(path) if SIP_PORT in (datagram.sport, datagram.tport)]

    # --- afterwards ------------------------------------------------------------------------------------

    def rows(self, sessions=1, timeout=20, certain=True):
        """Waits for the rows of so many sessions, and returns all rows of the CDR files. certain: none of them may
        say that its figures are not."""
        def complete():
            found = cdr.read(self.gateway.cdr_directory)
            return found if len(found.sessions()) >= sessions else None
        found = wait_until(f"{sessions} session rows in {self.gateway.cdr_directory}", complete, timeout)
        found.check_numbers()
        uncertain = [row["partial"] for row in found.rows if row["partial"]]
        if uncertain and certain:
            raise Failure(f"rows say that they are uncertain: {uncertain[:3]}")
        return found

    def audit(self):
        report = self.gateway.tool.json("audit")
        if report.get("audit") != "ok":
            raise Failure(f"the audit says {report}")

    def finish(self):
        """The end of a case that went well: what the case can't see must have gone well too."""
        if self.gateway:
            self.gateway.stop()

    def close(self, failed=False):
        if failed and self._keep:
            shutil.rmtree(self._keep, ignore_errors=True)
            shutil.copytree(self.directory, self._keep, ignore_dangling_symlinks=True,
                            ignore=shutil.ignore_patterns("run", "notify.*"))
        self._stack.close()
