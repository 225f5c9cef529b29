#!/usr/bin/python3
"""T1, the power is cut at every sync: a whole node in simulation, with agents over a lossy network, on the real journal
over a disk in memory that loses, tears and reorders what was not synced. Each acknowledged key is counted once, and the
state after each start is that of a replay.

A fixed workload with a cut at each of its syncs, seven ways of what survives each; then 2 000 random seeds with cuts at
any operation of the disk, starts among them, and failing syncs and writes; --full: 100 000. --seed N: the first of them.
Some runs on a disk that lies about its syncs have to fail."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.simulated_disk import hold_on_simulated_disk  # noqa: E402

if __name__ == "__main__":
    hold_on_simulated_disk("T1", __doc__, "power_cuts", "the power cut at every sync and at random")
