#!/usr/bin/python3
"""T6, failing allocation: at the k-th allocation memory runs out, for every k, alone or with all after it, while a batch
is walked and folded, comes into the open group, the group closes and is made ready for the journal, and rows of a
snapshot ride along. No crash, no leak, one refusal with a reason, and the next batch is fine: what was refused comes
again, and records and state are the same to the bit as those of a ledger that never lacked memory. Applying what is
durable, and answering, needs no memory at all.

2 seeds, with --full 300; --seed N is the first of them."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.nissad import BUILD  # noqa: E402
from support.scenario import Chosen  # noqa: E402

CASES = "--test-case=*memory that runs out*,*while memory runs out*,*memory was reserved*,*though memory runs*"


def main():
    chosen = Chosen("T6", __doc__)
    targets = ["test/fold_test", "test/ledger_test"]
    subprocess.run(["ninja", "-C", BUILD, *targets], check=True, stdout=subprocess.DEVNULL)
    seeds = 300 if chosen.full else 2
    refused = not_closed = 0
    for seed in range(chosen.seed, chosen.seed + seeds):
        for target in targets:
            ran = subprocess.run([BUILD / target, CASES], env={**os.environ, "NISSA_SEED": str(seed)}, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            assert ran.returncode == 0, f"{target} failed; repeat with NISSA_SEED={seed}:\n{ran.stdout}"
            assert re.search(r"test cases: +3 \|", ran.stdout), f"{target} has three cases of this, but ran:\n{ran.stdout}"
            refused += sum(map(int, re.findall(r"for want of memory: (\d+)", ran.stdout)))
            not_closed += sum(map(int, re.findall(r"did not close: (\d+)", ran.stdout)))
    chosen.holds(f"{seeds} seeds, {refused} batches refused for want of memory, {not_closed} groups that did not close at once")


if __name__ == "__main__":
    main()
