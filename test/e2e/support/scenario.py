"""What the hard scenarios share: how they are called, and how a server's counts are held against its senders'."""
import argparse
import collections
import json
import random
import subprocess
import time

from .nissad import PROGRAMS


class Chosen:
    def __init__(self, name, text):
        """Reads the command line of the scenario, and prints the seed."""
        options = argparse.ArgumentParser(prog=f"test/scenario {name}", description=text,
                                          formatter_class=argparse.RawDescriptionHelpFormatter)
        options.add_argument("--full", action="store_true", help="at full size")
        options.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats a run's choices, not its timing")
        chosen = options.parse_args()
        self.name, self.full, self.seed = name, chosen.full, chosen.seed
        self.random = random.Random(chosen.seed)
        self.begun = time.monotonic()
        print(f"{name}{' --full' if self.full else ''}: seed {self.seed}", flush=True)

    def holds(self, text):
        print(f"{self.name} holds: {text}; seed {self.seed}, {time.monotonic() - self.begun:.0f} s", flush=True)


def availability(name, objective="99 %", **more):
    """An SLO of the service of its own name, unless `more` says otherwise."""
    keys = {"name": name, "service": name, "sli": "availability", "objective": objective, **more}
    return "[[slo]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())


def check_alive(senders):
    for sender in senders:
        if sender.failure:
            raise AssertionError(f"{sender.service} failed: {sender.failure}")


def check_totals(nissad, senders):
    """At any time: acknowledged <= counted <= sent, by the lifetime totals of the SLO of each sender's name."""
    for sender in senders:
        acknowledged, _ = sender.bounds()
        counted = nissad.slo(sender.service)["lifetime"]["total"]
        _, sent = sender.bounds()
        assert acknowledged <= counted <= sent, f"{sender.service}: {acknowledged} acknowledged, {counted} counted, {sent} sent"


def inspected(nissad):
    """What is in its state, running or not."""
    shown = subprocess.run([PROGRAMS / "nissad", "inspect", nissad.folder / "state", "--json"], text=True, capture_output=True)
    assert shown.returncode == 0, f"inspect ended with {shown.returncode}: {shown.stderr}"
    return json.loads(shown.stdout)


def counters_of(slo):
    """Of an SLO as inspect shows it, as senders count."""
    found = collections.Counter()
    for one in slo["buckets"]:
        found.update({(one["bucket"], "good"): one["good"], (one["bucket"], "total"): one["total"]})
    return found


def check_between(who, low, counted, high):
    """low <= counted <= high, in each bucket; how many buckets there were."""
    keys = set(low) | set(counted) | set(high)
    for key in keys:
        assert low[key] <= counted[key] <= high[key], f"{who}, {key}: {low[key]} acknowledged, {counted[key]} counted, {high[key]} sent"
    return len({bucket for bucket, _ in keys})


def check_buckets(nissad, senders):
    """Each bucket lies between acknowledged and sent; of senders that are settled it is the one number. How many."""
    counted = {slo["name"]: counters_of(slo) for slo in inspected(nissad)["slos"]}
    buckets = 0
    for sender in senders:
        with sender.lock:
            low, high = sender.acknowledged.copy(), sender.sent.copy()
        if sender.exact():
            assert low == high, f"{sender.service} is settled, and did not hear of all that it sent"
        buckets += check_between(sender.service, low, counted[sender.service], high)
    return buckets


def settle(senders, within=60):
    """They send nothing new, and go on until all is answered."""
    for sender in senders:
        sender.stopping = True
    for sender in senders:
        sender.join(within)
        check_alive([sender])
        assert not sender.is_alive(), f"{sender.service} did not settle within {within} s: {len(sender.open)} batches open"


def report(senders):
    for sender in senders:
        print(sender.report())
