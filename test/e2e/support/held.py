"""Holds a thread of a running nissad where it is, as a disk that hangs would hold it."""
import contextlib
import ctypes
import os
import pathlib

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
ALL_CHILDREN = 0x40000000  # __WALL


class Held:
    """A thread by its name, until it is let go or its process ends: the one that commits unless another is named."""

    def __init__(self, process, name="nissa-journal"):
        tasks = pathlib.Path(f"/proc/{process.pid}/task").iterdir()
        self.thread = next(int(one.name) for one in tasks if (one / "comm").read_text() == name + "\n")
        self.trace(PTRACE_SEIZE)
        self.trace(PTRACE_INTERRUPT)
        os.waitpid(self.thread, ALL_CHILDREN)

    def trace(self, request):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        libc.ptrace.restype = ctypes.c_long
        if libc.ptrace(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def let_go(self):
        self.trace(PTRACE_DETACH)
        self.thread = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.thread:
            with contextlib.suppress(ProcessLookupError):
                self.let_go()

    def await_end(self):
        """Of the process: whoever traces a thread has to take note of its end, too, or the process never is at its own."""
        with contextlib.suppress(ChildProcessError):
            while not os.WIFSIGNALED(status := os.waitpid(self.thread, ALL_CHILDREN)[1]) and not os.WIFEXITED(status):
                pass
