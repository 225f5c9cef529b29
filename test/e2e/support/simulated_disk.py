"""The scenarios that are programs of test/simulation: a whole node over a disk in memory that forgets and fails."""
import subprocess
import sys

from .nissad import BUILD, ROOT
from .scenario import Chosen


def hold_on_simulated_disk(name, text, program, what):
    """The scenario NAME, which `text` describes: `what` holds by that program."""
    chosen = Chosen(name, text)
    target = f"test/simulation/{program}"
    subprocess.run([ROOT / "deploy/build", BUILD, target], check=True, stdout=subprocess.DEVNULL)
    run = subprocess.Popen([BUILD / target, "--seed", str(chosen.seed), *(["--full"] if chosen.full else [])],
                           stderr=subprocess.PIPE, text=True)
    for line in run.stderr:
        if not line.startswith("time="):  # what the journal logs about a disk that dies is meant to be
            print(line, end="", file=sys.stderr)
    if run.wait() != 0:
        sys.exit(f"{chosen.name} does not hold; seed {chosen.seed}")
    chosen.holds(what)
