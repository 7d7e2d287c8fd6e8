#!/usr/bin/python3
"""Stops one thread of a process and leaves the others alone: freeze.py THREAD-ID.

Says "frozen" when it stands still, and ends with the thread, or lets it go on when it is ended itself (a tracer's
end sets its threads free). SIGSTOP would stop all threads of the process."""

import ctypes
import os
import sys

_SEIZE, _INTERRUPT = 0x4206, 0x4207
_ALL_THREADS = 0x40000000  # __WALL
_libc = ctypes.CDLL("libc.so.6", use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def trace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        sys.exit(f"freeze: ptrace {request:#x} of {thread}: {os.strerror(ctypes.get_errno())}")


def main():
    thread = int(sys.argv[1])
    trace(_SEIZE, thread)
    trace(_INTERRUPT, thread)
    os.waitpid(thread, _ALL_THREADS)
    print("frozen", flush=True)
    while True:
        _, status = os.waitpid(thread, _ALL_THREADS)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return 0


if __name__ == "__main__":
    sys.exit(main())
