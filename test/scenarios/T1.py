#!/usr/bin/python3
"""T1, the power is cut at every sync: a whole node in simulation, with agents over a lossy network, on the real journal
over a disk in memory that loses, tears and reorders what was not synced. Each acknowledged key is counted once, and the
state after each start is that of a replay.

A fixed workload with a cut at each of its syncs, seven ways of what survives each; then 2 000 random seeds with cuts at
any operation of the disk, starts among them, and failing syncs and writes; --full: 100 000. --seed N: the first of them.
Some runs on a disk that lies about its syncs have to fail."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.scenario import Chosen  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "test/simulation/power_cuts"


def main():
    chosen = Chosen("T1", __doc__)
    subprocess.run([ROOT / "deploy/build", "build", PROGRAM], check=True, stdout=subprocess.DEVNULL)
    seeds = 100_000 if chosen.full else 2_000
    run = subprocess.Popen([ROOT / "build" / PROGRAM, "--seeds", str(seeds), "--seed", str(chosen.seed)], stderr=subprocess.PIPE,
                           text=True)
    for line in run.stderr:
        if not line.startswith("time="):  # what the journal logs about a disk that dies is meant to be
            print(line, end="", file=sys.stderr)
    if run.wait() != 0:
        sys.exit(f"T1 does not hold; seed {chosen.seed}")
    chosen.holds(f"the power cut at every sync and {seeds} random runs")


if __name__ == "__main__":
    main()
