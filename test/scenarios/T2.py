#!/usr/bin/python3
"""T2, kill -9 under load: four agents in three classes send through a proxy that loses acks, repeat what was not
acknowledged, send twins on a second connection, and one of them is itself killed again and again, while nissad is
killed at random moments. At all times acknowledged <= counted <= sent by the lifetime totals of one SLO an agent; once
all is settled every bucket that `nissad inspect` prints lies between what was acknowledged and what may have been
counted, which for the agents that were not killed is one number.

30 kills, with --full 1000; --seed N repeats a run's choices (not its timing)."""
import argparse
import collections
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import Agent, event, pb  # noqa: E402
from support.nissad import PROGRAMS, Nissad, check_books  # noqa: E402
from support.proxy import LossyProxy  # noqa: E402

SLO = '[[slo]]\nname = "agent-{0}"\nservice = "agent-{0}"\nsli = "availability"\nobjective = "99 %"\n'


class Sender(threading.Thread):
    """An agent that keeps what it sent until it is answered for good."""

    def __init__(self, number, proxy, server_port, priority, seed, mortal):
        super().__init__(daemon=True)
        self.number, self.proxy, self.server_port, self.priority, self.mortal = number, proxy, server_port, priority, mortal
        self.random = random.Random(seed)
        self.stopping = False
        self.failure = None
        self.lock = threading.Lock()
        self.sent = collections.Counter()          # bucket → (good, total) as two counters
        self.acknowledged = collections.Counter()
        self.kills = self.duplicates = self.conflicts = 0
        self._new_life()

    def _new_life(self):
        self.agent = None
        self.open = {}  # sequence → (batch, tally)

    def _tally(self, batch):
        tally = collections.Counter()
        for one in batch.events:
            bucket = one.time_unix_ns // 10**10
            tally[bucket, "total"] += 1
            tally[bucket, "good"] += one.outcome == 0
        return tally

    def run(self):
        try:
            while not (self.stopping and not self.open):
                try:
                    self._session()
                except (OSError, EOFError):
                    time.sleep(0.02)
        except Exception as error:  # told by the main thread
            self.failure = error
            raise

    def _session(self):
        agent = self.agent
        if agent is None:
            agent = Agent(self.proxy.port, name=f"agent-{self.number}")
        agent.connect()
        self.agent = agent
        agent.socket.settimeout(5)
        for batch, _ in list(self.open.values()):
            self._send(agent, batch)
        while not (self.stopping and not self.open):
            if self.mortal and self.random.random() < 0.002:
                agent.close()
                self.kills += 1
                self._new_life()
                return
            if not self.stopping and len(self.open) < 100:
                self._send_new(agent)
            if self.open and (len(self.open) >= 20 or self.stopping or self.random.random() < 0.3):
                self._read(agent)

    def _send_new(self, agent):
        now = time.time_ns()
        made = agent.batch([event(service=f"agent-{self.number}", outcome=self.random.random() < 0.1,
                                  when_ns=now - self.random.randrange(0, 120 * 10**9))
                            for _ in range(self.random.randrange(1, 30))], priority=self.priority)
        tally = self._tally(made)
        with self.lock:
            self.sent.update(tally)
        self.open[made.sequence] = (made, tally)
        self._send(agent, made)
        if self.random.random() < 0.05:
            self._send_twin(agent, made)

    def _send(self, agent, batch):
        batch.settled_below = min(self.open, default=batch.sequence)
        agent.send("batch", batch)

    def _send_twin(self, agent, batch):
        try:
            twin = Agent(self.server_port, epoch=agent.epoch, name=agent.name)
            twin.seen = agent.seen
            twin.connect()
            twin.send("batch", batch)
            twin.close()
        except (OSError, EOFError):
            pass

    def _read(self, agent):
        frame = agent.read()
        if not frame.HasField("ack"):
            return
        ack = frame.ack
        if ack.status in (pb.Ack.COUNTED, pb.Ack.DUPLICATE):
            _, tally = self.open.pop(ack.sequence, (None, None))
            if tally:
                with self.lock:
                    self.acknowledged.update(tally)
            self.duplicates += ack.status == pb.Ack.DUPLICATE
        elif ack.status == pb.Ack.REFUSED and not ack.final:
            time.sleep(ack.retry_after_ms / 1000)
            if ack.sequence in self.open:
                self._send(agent, self.open[ack.sequence][0])
        else:
            raise AssertionError(f"agent {self.number} was told {ack}")

    def bounds(self):
        with self.lock:
            return (sum(n for (_, kind), n in self.acknowledged.items() if kind == "total"),
                    sum(n for (_, kind), n in self.sent.items() if kind == "total"))


def check_totals(nissad, senders):
    for sender in senders:
        acknowledged, _ = sender.bounds()
        counted = nissad.slo(f"agent-{sender.number}")["lifetime"]["total"]
        _, sent = sender.bounds()
        assert acknowledged <= counted <= sent, f"agent {sender.number}: {acknowledged} acknowledged, {counted} counted, {sent} sent"


def check_buckets(nissad, senders):
    shown = subprocess.run([PROGRAMS / "nissad", "inspect", nissad.folder / "state", "--json"], check=True, text=True,
                           capture_output=True).stdout
    counted = collections.defaultdict(collections.Counter)
    for slo in json.loads(shown)["slos"]:
        for bucket in slo["buckets"]:
            counted[slo["name"]].update({(bucket["bucket"], "good"): bucket["good"], (bucket["bucket"], "total"): bucket["total"]})
    buckets = 0
    for sender in senders:
        mine = counted[f"agent-{sender.number}"]
        for key in set(sender.sent) | set(mine):
            low, high = sender.acknowledged[key], sender.sent[key]
            assert low <= mine[key] <= high, f"agent {sender.number}, {key}: {low} acknowledged, {mine[key]} counted, {high} sent"
            assert sender.mortal or low == mine[key] == high, f"agent {sender.number}, {key}: {mine[key]} counted of {high}"
            buckets += 1
    return buckets


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--full", action="store_true")
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    chosen = options.parse_args()
    kills = 1000 if chosen.full else 30
    print(f"T2: {kills} kills, seed {chosen.seed}", flush=True)
    rng = random.Random(chosen.seed)
    with Nissad(slos="".join(SLO.format(number) for number in range(4))) as nissad:
        proxy = LossyProxy(nissad.tcp_port, rng.random())
        classes = [pb.NORMAL, pb.HIGH, pb.CRITICAL, pb.NORMAL]
        senders = [Sender(n, proxy, nissad.tcp_port, classes[n], rng.random(), mortal=n == 3) for n in range(4)]
        for sender in senders:
            sender.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.1, 0.7))
            check_totals(nissad, senders)
            nissad.kill()
            nissad.start()
            assert not any(sender.failure for sender in senders), "an agent failed, see above"
        check_totals(nissad, senders)
        for sender in senders:
            sender.stopping = True
        for sender in senders:
            sender.join(60)
            assert not sender.is_alive() and not sender.failure, f"agent {sender.number} did not settle: {sender.failure}"
        check_totals(nissad, senders)
        check_books(nissad)
        nissad.kill()
        buckets = check_buckets(nissad, senders)
        for sender in senders:
            acknowledged, sent = sender.bounds()
            print(f"  agent {sender.number}: {sent} events sent, {acknowledged} acknowledged, "
                  f"{sender.duplicates} duplicates, killed {sender.kills} times")
        print(f"T2 holds: {kills} kills, {proxy.cuts} connections cut, {buckets} buckets compared")


if __name__ == "__main__":
    main()
