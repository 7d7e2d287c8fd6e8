"""SIPp as a far end, with a scenario put together from steps (scenario.py)."""

import os

from bed import registry, scenario
from bed.conductor import Conductor
from bed.process import Failure, wait_until

MEDIA_PORT = 6000       # of the phone (phone.py) that belongs to it
SIPP_MEDIA_PORT = 16000 # SIPp takes one whether its scenario has media or not
SIP_PORT = 5060
CALLER_NUMBER = registry.CALLER_NUMBER


def _bracketed(address):
    return f"[{address}]" if ":" in address else address


class Sipp:
    """steps: of scenario.py; if one of them reports, the test has to listen. remote: None for one that is
    called. Ready to be called when it is made."""

    def __init__(self, host, directory, label, steps, remote=None, number="100", calls=1, timeout=60, options=(),
                 address=None, media_address=None):
        """address: of the host that it signals from; media_address: that its SDP names. Both the host's IPv4 one
        unless told otherwise."""
        self.label = label
        address = address or host.address
        media_address = media_address or address
        steps = [step.replace("[media_port]", str(MEDIA_PORT)) for step in steps]
        path = scenario.write(os.path.join(directory, f"{label}.xml"), *steps)
        conducted = any("<sendCmd>" in step for step in steps)
        self._message_path = os.path.join(directory, f"{self.label}.messages")
        self.error_path = os.path.join(directory, f"{self.label}.errors")
        self.conductor = Conductor(host) if conducted else None
        argv = ["sipp", "-sf", path, "-i", _bracketed(address), "-p", SIP_PORT,
                "-mi", _bracketed(media_address), "-mp", SIPP_MEDIA_PORT, "-m", calls, "-nostdin", "-timeout", f"{timeout}s",
                "-timeout_error", "-trace_err", "-error_file", self.error_path, "-trace_msg",
                "-message_file", self._message_path, "-message_overwrite", "true"]
        if conducted:
            argv += ["-3pcc", self.conductor.address]
        argv += ["-key", "caller", CALLER_NUMBER, *options]
        if remote:
            argv += ["-s", number, _bracketed(remote)]
        self._process = host.start(argv, os.path.join(directory, f"{self.label}.log"), cwd=directory)
        wait_until(f"{label} listens on port {SIP_PORT}", lambda: self._listens(host))

    def _listens(self, host):
        if not self._process.running():
            raise Failure(f"{self.label} ended at once:\n{self._evidence()}")
        with host.entered():
            for table in ("udp", "udp6"):
                with open(f"/proc/thread-self/net/{table}", encoding="ascii") as file:
                    if f":{SIP_PORT:04X} " in file.read():
                        return True
        return False

    def wait(self, event, timeout=20):
        try:
            return self.conductor.wait(event, timeout)
        except Failure as failure:
            raise Failure(f"{self.label}: {failure}\n{self._evidence()}") from None

    def tell(self, report, **fields):
        self.conductor.tell(report, **fields)

    def finish(self, timeout=60):
        """Waits for the scenario's end; every call must have gone as the scenario says."""
        status = self._process.wait(timeout)
        if status != 0:
            raise Failure(f"{self.label} ended with {status}:\n{self._evidence()}")

    def messages(self):
        """Everything that SIPp sent and received, as it wrote it down."""
        try:
            with open(self._message_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def _evidence(self):
        text = ""
        for path in (self.error_path, self._message_path):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += file.read()[-2500:]
        return text or self._process.tail()

    def running(self):
        return self._process.running()

    def close(self):
        self._process.kill()
        if self.conductor:
            self.conductor.close()
