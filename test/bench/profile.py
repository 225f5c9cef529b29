#!/usr/bin/python3
"""Where the CPU time of nissad goes under a cell of end_to_end.py, as shares of its samples: a flame graph, read.

profile.py NISSAD NISSA_LOAD FOLDER [--cell NAME] [--seconds N] [--keep FILE]
Needs `perf` (Debian: linux-perf) and leave to use it. A sample belongs to the first row whose word stands in its stack, from
the leaf upwards. --keep: what `perf script` says, for a flame graph of one's own.
"""
import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from end_to_end import CELLS, one_run  # noqa: E402

ROWS = [
    ("kernel: receive", r"recvmsg|_copy_to_iter"),
    ("kernel: send", r"sendmsg|sendto"),
    ("kernel: epoll", r"epoll"),
    ("JSON", r"wire::Json|scan_number"),
    ("HTTP: requests, routes, answers", r"beast|HttpServer|HttpRequest|http_"),
    ("identities: hash and look-up", r"MatchMemo|IdentityHash"),
    ("identities: compare", r"memcmp"),
    ("CRC32C of bodies", r"crc32c|by_folding"),
    ("fold: walk and count", r"BatchFold|BodyWalk"),
    ("ledger: merge and expand cells", r"GroupCounts"),
    ("ledger: keys, records, rings", r"nissa::ledger|nissa::slo"),
    ("session: frames, room, turns, acks", r"SessionFlow|Outbox|Overload"),
]


def profile_once_up(nissad, seconds, into):
    """Waits for the server to be busy, then takes samples of it."""
    pid = ""
    while not pid:
        time.sleep(0.2)
        pid = subprocess.run(["pgrep", "-n", "-f", f"^{nissad} "], capture_output=True, text=True).stdout.strip()
    time.sleep(4)  # past the warm-up
    subprocess.run(["perf", "record", "-F", "1999", "-g", "-p", pid, "-o", into, "sleep", str(seconds)],  # ends by a signal
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def row_of(sample):
    head, *frames = sample.split("\n")
    if head.startswith("nissa-journal"):
        return "journal thread: SQLite and fsync"
    for frame in frames:  # the leaf first
        for name, words in ROWS:
            if re.search(words, frame):
                return name
    return "everything else"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nissad")
    parser.add_argument("load")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--cell", choices=list(CELLS), default="100_headline")
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    if not shutil.which("perf"):
        raise SystemExit("profile.py needs perf: apt-get install linux-perf")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        data = f"{folder}/perf.data"
        sampler = threading.Thread(target=profile_once_up, args=(options.nissad, options.seconds - 2, data))
        sampler.start()
        run = one_run(options.nissad, options.load, options.folder, CELLS[options.cell], options.seconds)
        sampler.join()
        script = subprocess.run(["perf", "script", "-i", data], capture_output=True, text=True, errors="replace").stdout
    if options.keep:
        options.keep.write_text(script)
    samples = script.strip().split("\n\n")
    shares = collections.Counter(row_of(sample) for sample in samples)
    cost = next(value for name, value in run.items() if name.startswith("cpu_s_per_million"))
    print(f"{options.cell}: {' '.join(CELLS[options.cell])}: {cost:.4f} CPU-s a million events, {len(samples)} samples")
    for name, count in shares.most_common():
        print(f"{100 * count / len(samples):5.1f} %  {1e3 * cost * count / len(samples):6.1f} ns an event  {name}")


if __name__ == "__main__":
    main()
