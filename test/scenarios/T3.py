#!/usr/bin/python3
"""T3, an fsync fails: a whole node in simulation, with agents over a lossy network, on the real journal over a disk in memory
whose syncs fail, and which afterwards never gets what it did not get (as Linux has it). No group is acknowledged that was not
synced; the state goes on in a new file and the old one goes only when that is sure; the node lives; and T1 holds behind it.

A fixed workload in which each sync fails once; its file fails for good; the whole disk does, until it is mended; each of the
30 syncs behind it fails, too, those of ANCHOR among them. Then the power is cut at each operation behind three of these syncs
(--full: behind all of them), seven ways of what survives each; then 2 000 random seeds (--full: 50 000) of all of that, with
kills. --seed N: the first of them."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.simulated_disk import hold_on_simulated_disk  # noqa: E402

if __name__ == "__main__":
    hold_on_simulated_disk("T3", __doc__, "failing_syncs", "syncs that fail once and for good, and power cuts behind them")
