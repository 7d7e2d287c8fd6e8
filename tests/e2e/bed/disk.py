"""A gateway's state directory on a disk of its own, which can be full."""

import os

LEFT_BYTES = 1 << 20  # to be written page by page


class SmallDisk:
    def __init__(self, world, mib=4):
        self.directory = world.small_disk(mib)
        self._filler = os.path.join(self.directory, "filler")

    def fill(self):
        descriptor = os.open(self._filler, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            self._take_most(descriptor)
            os.lseek(descriptor, 0, os.SEEK_END)
            while True:
                os.write(descriptor, bytes(4096))
        except OSError:
            pass
        finally:
            os.close(descriptor)

    def _take_most(self, descriptor):
        """All but what the gateway may be writing at this moment: taken as a whole or not at all."""
        free = os.statvfs(self.directory)
        room = free.f_bavail * free.f_frsize - LEFT_BYTES
        if room > 0:
            os.posix_fallocate(descriptor, 0, room)

    def free(self):
        os.unlink(self._filler)
