#!/usr/bin/python3
"""T18, restarts under load with an edited configuration: three agents send, and nissad is restarted again and again, by
SIGTERM or SIGKILL, each time with another file: objectives and periods change, an SLO changes what it counts or its name
and back, one goes and comes back, new ones come. A history belongs to a name and to what is counted: it goes on wherever
both are the same, and counts what arrived while it stood in the file, nothing else; so histories that take turns have
counted all of it between them, nothing lost and nothing doubled. By the totals after each start, by bucket in the end.

12 restarts, with --full 100."""
import collections
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import pb  # noqa: E402
from support.nissad import Nissad, check_books  # noqa: E402
from support.scenario import (Chosen, availability, check_alive, check_between, check_buckets, check_totals,  # noqa: E402
                              counters_of, inspected, report, settle)
from support.sender import HttpSender, TcpSender  # noqa: E402

NAMES = ["tcp-0", "tcp-1", "http"]
# Of the events that are sent all of these count each one, and the same as good.
SLIS = [{}, {"operation": "GET *"}, {"good": ["OK"]}]


class Edited:
    """The files, one a phase, and in which phases each history stood in the file; `histories`: (name, what of SLIS)."""

    def __init__(self, rng):
        self.rng, self.phases = rng, 0
        self.histories = collections.defaultdict(set)
        self.objectives = {}

    def next(self):
        text = "".join(self._of(name) for name in NAMES)
        self.phases += 1
        return text

    def _of(self, name):
        text = self._slo(name, name)  # it stays, with other objectives and periods
        text += self._slo(name, f"{name}-changed", self.rng.randrange(len(SLIS)))
        text += self._slo(name, f"{name}-{self.rng.choice(['named', 'renamed'])}")
        if self.rng.random() < 0.5:
            text += self._slo(name, f"{name}-gone")
        return text + "".join(self._slo(name, f"{name}-new-{since}") for since in range(2, self.phases + 1, 3))

    def _slo(self, service, name, sli=0):
        self.histories[name, sli].add(self.phases)
        self.objectives[name] = self.rng.choice(["99 %", "99.9 %", "95.5 %"])
        return availability(name, self.objectives[name], service=service, period=self.rng.choice(["30d", "7d", "1d"]), **SLIS[sli])


def bounds(sender, phases):
    """Of what was counted in these phases: a batch was, in one of those from its first sending to its ack."""
    low, high = collections.Counter(), collections.Counter()
    for (first, last), tally in sender.spans.items():
        possible = set(range(first, last + 1))
        if possible <= phases:
            low.update(tally)
        if possible & phases:
            high.update(tally)
    return low, high


def which_sli(sli):
    return 1 if sli["operation"] == "GET *" else 2 if sli["good"] == ["OK"] else 0


def check_histories(nissad, edited, senders):
    """How many, and how many buckets they have."""
    found = {(slo["name"], which_sli(slo["sli"])): counters_of(slo) for slo in inspected(nissad)["slos"]}
    assert set(found) == set(edited.histories), f"not the histories of the files: {set(found) ^ set(edited.histories)}"
    buckets = 0
    for sender in senders:
        turns = collections.Counter()
        for (name, sli), phases in edited.histories.items():
            if name == sender.service or name.startswith(f"{sender.service}-"):
                low, high = bounds(sender, phases)
                buckets += check_between(f"{name}, SLI {sli}", low, found[name, sli], high)
            if name in (f"{sender.service}-named", f"{sender.service}-renamed"):
                turns.update(found[name, sli])
        check_between(f"{sender.service}, under either name", sender.sent, turns, sender.sent)
        turns = sum((found[name, sli] for name, sli in found if name == f"{sender.service}-changed"), collections.Counter())
        check_between(f"{sender.service}, by any SLI", sender.sent, turns, sender.sent)
    return buckets


def main():
    chosen = Chosen("T18", __doc__)
    rng, restarts = chosen.random, 100 if chosen.full else 12
    edited = Edited(rng)
    kills = 0
    with Nissad(slos=edited.next()) as nissad:
        senders = [TcpSender(NAMES[0], nissad.tcp_port, rng.random(), twins_at=nissad.tcp_port, pause_s=0.002),
                   TcpSender(NAMES[1], nissad.tcp_port, rng.random(), klass=pb.HIGH, pause_s=0.002),
                   HttpSender(NAMES[2], nissad.http_port, rng.random())]
        for sender in senders:
            sender.start()
        for phase in range(1, restarts + 1):
            time.sleep(rng.uniform(0.5, 1.5))
            check_totals(nissad, senders)
            nissad.configure(edited.next())
            check_totals(nissad, senders)  # a file that was changed counts from the next start
            if rng.random() < 0.5:
                assert nissad.stop() == 0, nissad.log_text()[-2000:]
            else:
                nissad.kill()
                kills += 1
            for sender in senders:
                sender.phase = phase
            nissad.start()
            check_totals(nissad, senders)
            for slo in nissad.json("/api/v2/slos")["slos"]:
                assert slo["objective"] == edited.objectives[slo["name"]], slo
            check_alive(senders)
        settle(senders)
        check_totals(nissad, senders)
        check_books(nissad)
        buckets = check_buckets(nissad, senders) + check_histories(nissad, edited, senders)
        report(senders)
        chosen.holds(f"{restarts} restarts, {kills} of them by SIGKILL, {len(edited.histories)} histories, {buckets} buckets compared")


if __name__ == "__main__":
    main()
