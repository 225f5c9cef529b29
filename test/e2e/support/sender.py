"""Agents that keep each batch until it is answered for good, and know for each bucket what they sent and what was
acknowledged: what a server's counts are held against."""
import collections
import http.client
import random
import threading
import time

from .agent import Agent, event, pb

DONE = (pb.Ack.COUNTED, pb.Ack.DUPLICATE)


class Open:
    """A batch that is not settled."""

    def __init__(self, batch, phase):
        self.batch, self.phase, self.sendings = batch, phase, 0
        self.flying = False  # sent, and not answered yet
        self.tally = collections.Counter()
        for one in batch.events:
            bucket = one.time_unix_ns // 10**10
            self.tally[bucket, "total"] += 1
            self.tally[bucket, "good"] += one.outcome == 0


class Sender(threading.Thread):
    """Its service is its name. `oldest_s`: of its events. `phase` is the scenario's to set: which of its parts runs.
    A bucket's counters are (bucket, "good") and (bucket, "total")."""

    def __init__(self, name, port, seed, oldest_s=120, most_open=100, pause_s=0):
        super().__init__(daemon=True)
        self.service, self.port, self.oldest_s, self.most_open, self.pause_s = name, port, oldest_s, most_open, pause_s
        self.random = random.Random(seed)
        self.stopping = False
        self.failure = None
        self.lock = threading.Lock()
        self.phase = 0
        self.closed_until = 0
        self.sent, self.acknowledged = collections.Counter(), collections.Counter()
        self.spans = collections.defaultdict(collections.Counter)  # what was settled, by the phases of first sending and ack
        self.told = collections.Counter()  # COUNTED, DUPLICATE, the reasons of refusals, GoAway or "Connection: close"
        self.batches = self.resent = self.most_sendings = self.uncertain_lives = 0
        self.new_life()

    def new_life(self):
        """As after a crash: what was open may be counted or not."""
        self.agent = None
        self.uncertain_lives += bool(getattr(self, "open", {}))
        self.open = {}  # by sequence

    def run(self):
        try:
            while not self.over():
                try:
                    self.session()
                except (OSError, EOFError, http.client.HTTPException):
                    time.sleep(0.02)
        except Exception as error:  # told by the main thread
            self.failure = error
            raise

    def over(self):
        return self.stopping and not self.open

    def make(self):
        now = time.time_ns()
        made = self.agent.batch([event(service=self.service, outcome=self.random.random() < 0.1,
                                       when_ns=now - self.random.randrange(0, self.oldest_s * 10**9))
                                 for _ in range(self.random.randrange(1, 30))], priority=self.priority())
        one = self.open[made.sequence] = Open(made, self.phase)
        with self.lock:
            self.sent.update(one.tally)
        self.batches += 1
        if self.pause_s:
            time.sleep(self.pause_s)
        return one

    def priority(self):
        return pb.NORMAL

    def begin_sending(self, one):
        one.batch.settled_below = min(self.open)
        one.flying = True
        one.sendings += 1
        self.resent += one.sendings > 1
        self.most_sendings = max(self.most_sendings, one.sendings)

    def answered(self, ack):
        """For good, or it is to be sent again once `closed_until` has passed."""
        if ack.status in DONE:
            one = self.open.pop(ack.sequence, None)
            with self.lock:
                self.told[pb.Ack.Status.Name(ack.status)] += 1
                if one:
                    self.acknowledged.update(one.tally)
                    self.spans[one.phase, self.phase].update(one.tally)
            return
        if ack.status != pb.Ack.REFUSED or ack.final:
            raise AssertionError(f"{self.service} was told {ack}")
        with self.lock:
            self.told[pb.Reason.Name(ack.reason)] += 1
        self.closed_until = max(self.closed_until, time.monotonic() + ack.retry_after_ms / 1000)
        if ack.sequence in self.open:
            self.open[ack.sequence].flying = False

    def wait_until_open(self):
        time.sleep(max(0, self.closed_until - time.monotonic()))

    def bounds(self):
        """Events acknowledged, events sent."""
        with self.lock:
            return tuple(sum(number for (_, kind), number in counters.items() if kind == "total")
                         for counters in (self.acknowledged, self.sent))

    def exact(self):
        """Whether every batch was settled: then what was sent is what was acknowledged."""
        return not self.open and not self.uncertain_lives

    def report(self):
        acknowledged, sent = self.bounds()
        told = ", ".join(f"{number} {what}" for what, number in sorted(self.told.items()))
        return (f"  {self.service}: {sent} events sent in {self.batches} batches, {acknowledged} acknowledged; {self.resent} "
                f"sent again, one {self.most_sendings} times; told {told}")


class TcpSender(Sender):
    """`twins_at`: the port where a batch in 20 is sent once more, on another connection that hears no answer. `mortal`:
    it crashes now and then, and forgets what it had open."""

    def __init__(self, name, port, seed, klass=pb.NORMAL, twins_at=None, mortal=False, **options):
        super().__init__(name, port, seed, **options)
        self.klass, self.twins_at, self.mortal = klass, twins_at, mortal
        self.kills = 0

    def priority(self):
        return self.klass

    def session(self):
        agent = self.agent or Agent(self.port, name=self.service)
        agent.connect()
        self.agent, self.leaving = agent, False
        agent.socket.settimeout(5)
        try:
            for one in list(self.open.values()):
                self.send(one)
            while not self.over():
                if self.mortal and self.random.random() < 0.002:
                    self.kills += 1
                    return self.new_life()
                flying = sum(one.flying for one in self.open.values())
                if flying < len(self.open) and (not flying or time.monotonic() > self.closed_until) and not self.leaving:
                    self.send_again()
                elif self.may_send_new():
                    self.send_new()
                if flying and (flying >= 20 or not self.may_send_new() or self.random.random() < 0.3) or self.leaving:
                    self.read()
        finally:
            agent.close()

    def may_send_new(self):
        return not (self.stopping or self.leaving) and len(self.open) < self.most_open and time.monotonic() > self.closed_until

    def send_again(self):
        """What was refused, all at once."""
        self.wait_until_open()
        for one in list(self.open.values()):
            if not one.flying:
                self.send(one)

    def send_new(self):
        one = self.make()
        self.send(one)
        if self.twins_at and self.random.random() < 0.05:
            self.send_twin(one)

    def send(self, one):
        self.begin_sending(one)
        self.agent.send("batch", one.batch)

    def send_twin(self, one):
        try:
            twin = Agent(self.twins_at, epoch=self.agent.epoch, name=self.agent.name)
            twin.seen = self.agent.seen
            twin.connect()
            twin.send("batch", one.batch)
            twin.close()
        except (OSError, EOFError):
            pass

    def read(self):
        frame = self.agent.read()
        if frame.HasField("go_away"):
            self.told[f"GoAway({pb.Reason.Name(frame.go_away.reason)})"] += 1
            self.leaving = True
        elif frame.HasField("ack"):
            self.answered(frame.ack)


class HttpSender(Sender):
    """Keyed batches, one at a time."""

    def session(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            if self.agent is None:
                agent = Agent(self.port, name=self.service)
                agent.seen = pb.HelloAck.FromString(self.ask(connection, "GET", "/v2/hello")).now
                self.agent = agent
            while not self.over():
                one = next(iter(self.open.values())) if self.open else self.make()
                self.wait_until_open()
                self.begin_sending(one)
                self.answered(pb.Ack.FromString(self.ask(connection, "POST", "/v2/telemetry", one.batch.SerializeToString())))
        finally:
            connection.close()

    def ask(self, connection, method, path, body=None):
        kind = "application/x-protobuf"
        connection.request(method, path, body, {"Content-Type": kind, "Accept": kind})
        answer = connection.getresponse()
        if answer.getheader("Connection") == "close":
            self.told["Connection: close"] += 1
        return answer.read()
