"""A gateway's state directory on a disk of its own, which can be full."""

import os


class SmallDisk:
    def __init__(self, world, mib=4):
        self.directory = world.small_disk(mib)
        self._filler = os.path.join(self.directory, "filler")

    def fill(self):
        descriptor = os.open(self._filler, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            free = os.statvfs(self.directory)
            if room := free.f_bavail * free.f_frsize:
                os.posix_fallocate(descriptor, 0, room)
            os.lseek(descriptor, 0, os.SEEK_END)
            while True:
                os.write(descriptor, bytes(4096))
        except OSError:
            pass
        finally:
            os.close(descriptor)

    def free(self):
        os.unlink(self._filler)
