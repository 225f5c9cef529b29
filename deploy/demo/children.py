"""The processes of the demo: none outlives the demo, not even when that is killed with SIGKILL."""
import ctypes
import os
import signal
import subprocess

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def start(command, when_orphaned=signal.SIGTERM, **more):
    """In a session of its own, so that the terminal's Ctrl-C reaches the demo alone, which stops all in order."""
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([str(one) for one in command], start_new_session=True,
                            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, when_orphaned), **more)


def ended(child, within):
    try:
        child.wait(within)
        return True
    except subprocess.TimeoutExpired:
        return False


def stop(child, how=signal.SIGTERM, within=10):
    """Asks it to end, and makes it end. True if asking was enough."""
    if child is None or child.poll() is not None:
        return True
    child.send_signal(how)
    if ended(child, within):
        return True
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return False
