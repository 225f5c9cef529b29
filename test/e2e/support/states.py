"""What a state's folder holds, and what nissad says of it."""
import subprocess

from .nissad import PROGRAMS


def files_in(folder):
    """name → bytes; not the lock, and nothing of the folders in it."""
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file() and one.name != "lock"}


def run_nissad(*words):
    """To its end: not to serve, but to look, or to be refused."""
    return subprocess.run([PROGRAMS / "nissad", *words], text=True, capture_output=True, timeout=60)
