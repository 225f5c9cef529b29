#!/usr/bin/python3
"""T14, clocks; the system's own is never touched. An agent with a true clock sends all the while; meanwhile

  - nissad is stopped for a while, twice (SIGSTOP): it goes on, and what was longer than 20 s is not measured;
  - its wall clock goes an hour back and returns, then a day forward and returns (libfaketime, on the real binary): each
    time it is not followed, and says so (nissa_ledger_clock_held, log), and ends by itself; time goes on meanwhile;
  - an agent's clock is ten minutes slow: shifted where round trips prove it, and the ack says so; over HTTP, where
    nothing can, its events are taken at their word, and a clock that is ten minutes fast is known by its batch alone;
  - batches are held on their way: not taken for a slow clock.

No event is rejected, late or in a wrong bucket, and the TICKs go on. 4 and 22 s of SIGSTOP and a few seconds for the others,
with --full 4 and 30 s of SIGSTOP, a minute for the batch that is held, and a minute for each wrong clock."""
import collections
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import Agent, event, pb  # noqa: E402
from support.fault_proxy import Faults, FaultProxy  # noqa: E402
from support.nissad import Nissad, check_books, total  # noqa: E402
from support.raw_http import Raw, request, until  # noqa: E402
from support.scenario import (Chosen, availability, check_alive, check_between, check_buckets, check_totals,  # noqa: E402
                              counters_of, inspected, report, settle)
from support.sender import TcpSender  # noqa: E402

FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
NS = 10**9
SLOW_S = 600


class WallClock:
    """nissad's, by libfaketime; the boot clock stays as it is."""

    def __init__(self):
        if FAKETIME is None:
            raise SystemExit("T14: libfaketime is missing: deploy/install-packages test")
        self.file = pathlib.Path(f"/tmp/nissa-T14-{os.getpid()}")
        self.set(0)
        self.under = ["env", f"LD_PRELOAD={FAKETIME}", f"FAKETIME_TIMESTAMP_FILE={self.file}", "FAKETIME_NO_CACHE=1",
                      "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_DONT_RESET=1"]

    def set(self, seconds):
        """The file is replaced as a whole: nissad reads it at any time."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}")
        new.rename(self.file)


class Skewed:
    """An agent of another clock, and in which buckets its events belong."""

    def __init__(self, name, port, ahead_s=0):
        self.name, self.ahead_ns = name, ahead_s * NS
        self.agent = Agent(port, name=name, ahead_ns=self.ahead_ns)
        self.belongs = collections.Counter()

    def batch(self, wrong_s=0):
        """`wrong_s`: by how much the server cannot know better. In the midst of buckets: a shift is true to some
        milliseconds."""
        middle = time.time_ns() // 10**10 * 10**10 + 5 * NS
        times = [middle - age * NS for age in range(10, 100, 10)]
        for one in times:
            bucket = (one + wrong_s * NS) // 10**10
            self.belongs.update({(bucket, "good"): 1, (bucket, "total"): 1})
        return self.agent.batch([event(service=self.name, when_ns=one + self.ahead_ns) for one in times])

    def heartbeat(self, round_trip_ns=None):
        """The round trip."""
        begun = time.monotonic_ns()
        self.agent.send("heartbeat", pb.Heartbeat(sent_at_unix_ns=self.agent.clock_ns(), round_trip_ns=round_trip_ns))
        assert self.agent.read().HasField("heartbeat_ack")
        return time.monotonic_ns() - begun

    def prove(self):
        """Three exchanges, each telling of the one before."""
        round_trip = None
        for _ in range(3):
            round_trip = self.heartbeat(round_trip)

    def check(self, counted):
        check_between(self.name, self.belongs, counted[self.name], self.belongs)


def post(nissad, batch):
    connection = Raw(nissad.http_port)
    status, body = connection.ask(request(batch.SerializeToString(), kind="application/x-protobuf"))
    connection.close()
    assert status == 200, status
    return pb.Ack.FromString(body)


def check_shift(who, ack, seconds):
    assert ack.status == pb.Ack.COUNTED and not ack.late and not ack.rejected, f"{who}: {ack}"
    assert abs(ack.clock_skew_ms - seconds * 1000) < 1500, f"{who}: shifted by {ack.clock_skew_ms} ms, not {seconds} s"


def ledger(nissad):
    """Its time, its running time, the number of its last record, whether the wall clock is held."""
    samples = nissad.metrics()
    return tuple(samples[f"nissa_ledger_{name}"] for name in ("time_seconds", "running_seconds", "lsn", "clock_held"))


def check_true(nissad):
    apart = ledger(nissad)[0] - time.time()
    assert -15 < apart < 3, f"the ledger's time is {apart:.1f} s ahead of the true one"  # a TICK is due every 10 s


def stop_for(nissad, sender, seconds):
    """What of the time it did not measure."""
    before = ledger(nissad)
    nissad.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    acknowledged = sender.bounds()[0]  # now: some acks were on their way when it was stopped
    nissad.process.send_signal(signal.SIGCONT)
    assert until(lambda: sender.bounds()[0] > acknowledged + 200, within=30), "no batch is acknowledged after SIGCONT"
    after = ledger(nissad)
    check_true(nissad)
    assert after[3] == 0, "the wall clock was held, and is right"
    not_measured = (after[0] - before[0]) - (after[1] - before[1])
    if seconds > 20:
        assert seconds - 1 <= not_measured <= seconds + 10, f"{not_measured} s were not measured of {seconds}"
    else:
        assert abs(not_measured) < 1.5, f"{not_measured} s were not measured, of {seconds} s that are no gap"
    return max(not_measured, 0)


def wrong_wall(nissad, steady, wall, seconds, hold, lasting, quiet):
    """Held, said, and over by itself; an agent that proves its clock is believed meanwhile. `quiet`: nobody sends, and
    TICKs are recorded all the same."""
    lsn, said = ledger(nissad)[2], nissad.log_text().count(f"hold={hold}")
    wall.set(seconds)
    assert until(lambda: ledger(nissad)[3] == 1, within=30), f"a wall clock that is {seconds} s off is followed"
    assert until(lambda: nissad.log_text().count(f"hold={hold}") > said, within=5), "the log says nothing of it"
    assert not quiet or until(lambda: ledger(nissad)[2] > lsn, within=30), "no TICK was recorded"
    steady.agent.connect()
    steady.prove()
    check_shift(f"a true clock, while nissad's is {seconds} s off", steady.agent.ask(steady.batch()), 0)
    steady.agent.close()
    until(lambda: check_true(nissad), within=lasting)
    wall.set(0)
    assert until(lambda: ledger(nissad)[3] == 0, within=30), "the wall clock is right again, and held"
    check_true(nissad)
    assert "the wall clock is followed again" in nissad.log_text()


def skewed_agents(nissad):
    slow, told, fast = Skewed("slow", nissad.tcp_port, -SLOW_S), Skewed("told", 0, -SLOW_S), Skewed("fast", 0, SLOW_S)
    slow.agent.connect()
    slow.prove()
    check_shift("slow, with round trips", slow.agent.ask(slow.batch()), -SLOW_S)
    for one in (told, fast):
        one.agent.seen = slow.agent.seen
    check_shift("slow, without", post(nissad, told.batch(wrong_s=-SLOW_S)), 0)
    check_shift("fast", post(nissad, fast.batch()), SLOW_S)
    return [slow, told, fast]


def held_batch(nissad, seed, seconds):
    proxy = FaultProxy(nissad.tcp_port, seed)
    held = Skewed("held", proxy.port)
    held.agent.connect().socket.settimeout(seconds + 30)
    held.prove()
    proxy.up = Faults(delay=(seconds, seconds))
    check_shift("a batch that was held", held.agent.ask(held.batch()), 0)
    proxy.close()
    return held


def main():
    chosen = Chosen("T14", __doc__)
    stopped, lasting, held_for = (30, 60, 60) if chosen.full else (22, 3, 5)
    wall = WallClock()
    names = ["true", "steady", "slow", "told", "fast", "held"]
    with Nissad(slos="".join(map(availability, names)), more='[ingest]\nidle_timeout = "5min"', under=wall.under) as nissad:
        steady = Skewed("steady", nissad.tcp_port)
        wrong_wall(nissad, steady, wall, -3600, "stepped_back", 1, quiet=True)
        sender = TcpSender("true", nissad.tcp_port, chosen.random.random(), pause_s=0.01)
        sender.start()
        not_measured = sum(stop_for(nissad, sender, seconds) for seconds in (4, stopped))
        wrong_wall(nissad, steady, wall, -3600, "stepped_back", lasting, quiet=False)
        check_totals(nissad, [sender])
        wrong_wall(nissad, steady, wall, 86400, "stepped_ahead", lasting, quiet=False)
        others = [steady, *skewed_agents(nissad), held_batch(nissad, chosen.random.random(), held_for)]
        check_alive([sender])
        settle([sender])
        samples = check_books(nissad)
        assert total(samples, "nissa_ingest_events_total", result="accepted") == total(samples, "nissa_ingest_events_total")
        counted = {slo["name"]: counters_of(slo) for slo in inspected(nissad)["slos"]}
        for one in others:
            one.check(counted)
        buckets = check_buckets(nissad, [sender])
        report([sender])
        chosen.holds(f"stopped for 4 and {stopped} s of which {not_measured:.0f} s were not measured, the wall clock wrong three "
                     f"times, five agents more, {buckets} buckets compared")
    wall.file.unlink()


if __name__ == "__main__":
    main()
