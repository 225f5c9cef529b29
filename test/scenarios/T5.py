#!/usr/bin/python3
"""T5, bit rot: one bit is flipped at every 97th byte of every file of a state, and each file is cut off at every 4 KiB.
What a start finds is the exact state, or damage with its name and exit code 3, and then nothing was changed: never
another state, never a crash. With --accept-loss each damaged state goes on from some record of its history, with all
before it and nothing after, or is refused; and the files are kept as they were. The places are tried in one program
(test/damage/bit_rot.cpp); some of each outcome through nissad itself, its verify and its inspect.

--full: a larger state, all eight bits. --seed N chooses the state and the places."""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.nissad import BUILD, TWO_SLOS, free_port  # noqa: E402
from support.scenario import Chosen  # noqa: E402
from support.states import files_in, run_nissad  # noqa: E402

Pick = collections.namedtuple("Pick", "state file at bit outcome")


def rot(folder, *options):
    """All places in one program; what it says goes on to ours, and its picks come back."""
    ran = subprocess.Popen([BUILD / "test/damage/bit_rot", folder, *options], stdout=subprocess.PIPE, text=True)
    picks = []
    for line in ran.stdout:
        if line.startswith("pick "):
            _, state, file, at, bit, outcome = line.split()
            picks.append(Pick(state, file, int(at), int(bit), outcome))
        else:
            print(" ", line, end="", flush=True)
    assert ran.wait() == 0, f"bit_rot ended with {ran.returncode}"
    return picks


def damaged_copy(made, folder, pick):
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(made / pick.state, folder)
    damaged = bytearray((folder / pick.file).read_bytes())
    if pick.bit < 0:
        del damaged[pick.at:]
    else:
        damaged[pick.at] ^= 1 << pick.bit
    (folder / pick.file).write_bytes(damaged)


def check_refused(folder, config, pick):
    """nissad ends with 3 and says of what; inspect and verify name the damage as the journal does; nothing changes."""
    before = files_in(folder)
    served = run_nissad("--config", config)
    assert served.returncode == 3, (pick, served)
    assert "Ways on" in served.stderr and re.search(f"{folder}/|ANCHOR|record|row ", served.stderr), (pick, served.stderr)
    assert ("--accept-loss" in served.stderr) == (pick.outcome != "newer_version"), (pick, served.stderr)
    verified = run_nissad("verify", folder)
    assert verified.returncode == 3, (pick, verified)
    assert f"damaged: {pick.outcome}: " in verified.stdout, (pick, verified.stdout)
    inspected = run_nissad("inspect", folder, "--json")
    assert inspected.returncode == 3, (pick, inspected)
    damage = json.loads(inspected.stdout)["damage"]
    assert damage["name"] == pick.outcome and "nissa-inspect-" not in inspected.stdout, (pick, damage)
    assert run_nissad("inspect", folder).returncode == 3, pick
    assert files_in(folder) == before, f"{pick}: looking changed the files"


def check_taken(folder, pick, state_hash):
    """Where a start finds the exact state, inspect shows it; verify may still find what a start does not need."""
    before = files_in(folder)
    inspected = run_nissad("inspect", folder, "--json")
    assert inspected.returncode == 0, (pick, inspected)
    assert json.loads(inspected.stdout)["state_hash"] == state_hash, (pick, "another state")
    verified = run_nissad("verify", folder)
    assert verified.returncode == (3 if "\ndamaged: " in "\n" + verified.stdout else 0), (pick, verified)
    assert files_in(folder) == before, f"{pick}: looking changed the files"


def main():
    chosen = Chosen("T5", __doc__)
    size = ["--records", "200", "--every", "97", "--all-bits"] if chosen.full else ["--records", "120", "--every", "97"]
    base = os.environ.get("TMPDIR") or ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    with tempfile.TemporaryDirectory(prefix="nissa-T5-", dir=base) as made:
        folder = pathlib.Path(made)
        picks = rot(folder, *size, "--seed", str(chosen.seed), "--picks", "24")
        config = folder / "nissa.toml"
        config.write_text(f'state_dir = "{folder}/rotten"\n[listen]\ntcp = "127.0.0.1:{free_port()}"\nhttp = "127.0.0.1:{free_port()}"\n'
                          f'admin = "127.0.0.1:{free_port()}"\n{TWO_SLOS}')
        hashes = set()
        for sound in (folder / "killed", folder / "started"):
            verified = run_nissad("verify", sound)
            assert verified.returncode == 0, verified
            hashes.add(json.loads(run_nissad("inspect", sound, "--json").stdout)["state_hash"])
        state_hash, = hashes
        for pick in picks:
            damaged_copy(folder, folder / "rotten", pick)
            if pick.outcome == "exact":
                check_taken(folder / "rotten", pick, state_hash)
            else:
                check_refused(folder / "rotten", config, pick)
        refused = sum(pick.outcome != "exact" for pick in picks)
        chosen.holds(f"{refused} damaged states refused by nissad, {len(picks) - refused} taken exactly")


if __name__ == "__main__":
    main()
