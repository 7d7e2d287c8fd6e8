"""A wall clock that is the planes' own and can be stepped (tests/e2e/clock_shim.c). Monotonic time is as ever."""

import os
import struct


class WallClock:
    def __init__(self, world):
        self.step_seconds = 0
        self._path = os.path.join(world.directory, "clock")
        self._shim = os.path.join(os.path.abspath(world.build), "tests", "e2e", "clock_shim.so")
        self._write()

    def _write(self):
        """In place, eight bytes at once: the planes have the file mapped."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, struct.pack("=q", self.step_seconds * 1_000_000_000), 0)
        finally:
            os.close(descriptor)

    def attach(self, gateway):
        """To the planes that are started from now on. A sanitizer's runtime wants to be the first library; it can do
        without."""
        gateway.more_environment = {"LD_PRELOAD": self._shim, "TOLLGATE_TEST_CLOCK": self._path}
        gateway.more_asan_options = ":verify_asan_link_order=0"

    def step(self, seconds):
        self.step_seconds += seconds
        self._write()
