#!/usr/bin/python3
"""Every limit of connections, of time, of room and of memory at its edge, from outside: who is within it goes on, who is
beyond is told so by name or waits, as the documents say, and the counts stay exact."""
import pathlib
import select
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, framed, pb  # noqa: E402
from support.limit_case import PROTOBUF, LimitCase  # noqa: E402
from support.nissad import total  # noqa: E402
from support.raw_http import ONE_EVENT, Raw, request, until  # noqa: E402

PRIORITIES = {"LOW": pb.LOW, "NORMAL": pb.NORMAL, "HIGH": pb.HIGH, "CRITICAL": pb.CRITICAL}
FIRST_PLACE = 40  # bytes of a stream's lowest open number, which is never refused
SWEEP_S = 1  # connections over TCP are looked at once a second


class Connections(LimitCase):
    def heartbeat(self, agent):
        agent.send("heartbeat", pb.Heartbeat(sent_at_unix_ns=time.time_ns()))
        self.assertTrue(agent.read().HasField("heartbeat_ack"))

    def gone(self, agent, reason):
        """Told why, then closed."""
        self.assertEqual(agent.read().go_away.reason, reason)
        with self.assertRaises(EOFError):
            agent.read()

    def closed(self, nissad, reason):
        return total(nissad.metrics(), "nissa_ingest_closed_connections_total", reason=reason)

    def test_max_connections_the_next_waits_until_one_ends(self):
        nissad = self.start("[ingest]\nmax_connections = 2\nmax_http_connections = 1")
        first, second = self.agent(nissad), self.agent(nissad)
        third = Agent(nissad.tcp_port)
        waiting = Raw(nissad.tcp_port, timeout=0.2)
        self.addCleanup(waiting.close)
        waiting.say(framed("hello", pb.Hello(protocol=2)))
        with self.assertRaises(TimeoutError):
            waiting.socket.recv(1)
        self.assert_counted(first.ask(first.batch([event()])))
        waiting.close()
        second.close()
        third.connect()
        self.addCleanup(third.close)
        self.assert_counted(third.ask(third.batch([event()])))
        self.assertEqual(self.post(nissad, third.batch([event()]))[0], 200)  # the other door has its own

    def test_max_http_connections_the_next_waits_until_one_ends(self):
        nissad = self.start("[ingest]\nmax_http_connections = 2")
        first, second = self.raw(nissad.http_port), self.raw(nissad.http_port)
        for one in (first, second):
            self.assertEqual(one.ask(request(ONE_EVENT))[0], 200)
        third = self.raw(nissad.http_port, timeout=0.2).say(request(ONE_EVENT))
        with self.assertRaises(TimeoutError):
            third.hear()
        self.assertEqual(first.ask(request(ONE_EVENT))[0], 200)
        second.close()
        third.socket.settimeout(20)
        self.assertEqual(third.hear()[0], 200)

    def test_operators_have_64_connections(self):
        nissad = self.start()
        ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        many = [self.raw(nissad.admin_port) for _ in range(64)]
        for one in many:
            self.assertEqual(one.ask(ask)[0], 200)
        next_one = self.raw(nissad.admin_port, timeout=0.2).say(ask)
        with self.assertRaises(TimeoutError):
            next_one.hear()
        for one in many:
            one.close()
        next_one.socket.settimeout(20)
        self.assertEqual(next_one.hear()[0], 200)

    def test_hello_timeout(self):
        nissad = self.start('[ingest]\nhello_timeout = "1s"')
        greeted = self.agent(nissad)
        silent = Agent(nissad.tcp_port)
        silent.socket = Raw(nissad.tcp_port).socket
        self.addCleanup(silent.close)
        self.gone(silent, pb.HELLO_EXPECTED)
        time.sleep(0.2)
        self.assert_counted(greeted.ask(greeted.batch([event()])))
        self.assertEqual(self.closed(nissad, "hello_expected"), 1)

    def test_frame_timeout_over_tcp(self):
        nissad = self.start('[ingest]\nframe_timeout = "1s"')
        half, other, whole = self.agent(nissad), self.agent(nissad), self.agent(nissad)
        self.assert_counted(half.ask(half.batch([event()])))
        frame = framed("batch", half.batch([event()]))
        half.send_raw(frame[:-1])
        whole.send_raw(framed("batch", whole.batch([event()]))[:20])
        whole.send_raw(framed("batch", whole.batch([event()], sequence=1))[20:])
        self.assert_counted(whole.read().ack)
        self.gone(half, pb.SLOW_FRAME)
        self.assert_counted(other.ask(other.batch([event()])))
        self.assertEqual(self.closed(nissad, "slow_frame"), 1)

    def test_frame_timeout_over_http_of_the_first_byte_the_head_and_the_body(self):
        nissad = self.start('[ingest]\nframe_timeout = "200ms"')
        whole = request(ONE_EVENT)
        for sent in (0, 1, 50, len(whole) - 1):
            one = self.raw(nissad.http_port).say(whole[:sent])
            took = one.closed_within(5)
            self.assertIsNotNone(took, sent)
        nissad = self.start('[ingest]\nframe_timeout = "2s"')
        one = self.raw(nissad.http_port)
        for at in range(0, len(whole), 40):
            one.say(whole[at:at + 40])
        self.assertEqual(one.hear()[0], 200)
        time.sleep(2.2)  # idle, which has a time of its own
        self.assertEqual(one.ask(whole)[0], 200)

    def test_idle_timeout(self):
        nissad = self.start('[ingest]\nidle_timeout = "1s"')
        http_idle = self.raw(nissad.http_port)
        self.assertEqual(http_idle.ask(request(ONE_EVENT))[0], 200)
        self.assertIsNotNone(http_idle.closed_within(20))
        idle, lively = self.agent(nissad), self.agent(nissad)
        self.assert_counted(idle.ask(idle.batch([event()])))
        deadline = time.monotonic() + 1 + 2 * SWEEP_S
        while time.monotonic() < deadline:
            self.heartbeat(lively)
            time.sleep(0.1)
        self.gone(idle, pb.IDLE)
        self.assert_counted(lively.ask(lively.batch([event()])))
        self.assertEqual(self.closed(nissad, "idle"), 1)

    def test_who_does_not_read_his_acks_is_closed_after_idle_timeout(self):
        nissad = self.start('[ingest]\nidle_timeout = "1s"')
        deaf = self.agent(nissad)
        beats = framed("heartbeat", pb.Heartbeat(sent_at_unix_ns=1)) * 20_000
        sent = 0
        with self.assertRaises(ConnectionError):  # not read, then closed
            while sent < 500_000_000:
                sent += deaf.socket.send(beats)
        self.assertTrue(until(lambda: self.closed(nissad, "idle") == 1))
        other = self.agent(nissad)
        self.assert_counted(other.ask(other.batch([event()])))

    def test_window_batches_no_more_is_read_until_acks_are_written(self):
        nissad = self.start('[ingest]\nwindow_batches = 3\nwindow_bytes = "8 KiB"\n[journal]\ncommit_spacing = "500ms"')
        agent, other = self.agent(nissad), self.agent(nissad)
        self.assertEqual((agent.hello.window_batches, agent.hello.window_bytes), (3, 8192))
        self.assert_counted(agent.ask(agent.batch([event()])))
        most = 0
        for _ in range(7):
            agent.send("batch", agent.batch([event()]))
        for _ in range(7):
            while not agent.unread and not select.select([agent.socket], [], [], 0.01)[0]:
                under_way = total(nissad.metrics(), "nissa_ingest_in_flight_batches")
                self.assertLessEqual(under_way, 3)
                most = max(most, under_way)
            self.assert_counted(agent.read().ack)
        self.assertEqual(most, 3)
        self.assert_counted(other.ask(other.batch([event()])))


class Room(LimitCase):
    """Bodies of known length that never come: each holds exactly what its Content-Length says."""
    MORE = ('[ingest]\nframe_timeout = "60s"\nmax_frame = "256 KiB"\nmax_inflated = "4 KiB"\nmax_json = "8 KiB"\n'
            '[gate]\ningest_bytes = "1 MiB"\ncritical_bytes = "1 MiB"\n')

    def ask_room(self, nissad, name, size, source=None):
        """True: it was granted; False: 503 no_room."""
        one = self.raw(nissad.http_port, source=source)
        status, body = one.ask(request(b"", f"Nissa-Priority: {name}", "Expect: 100-continue", kind=PROTOBUF, length=size))
        if status != 100:
            ack = pb.Ack.FromString(body)
            self.assertEqual((status, ack.status, ack.reason, ack.final), (503, pb.Ack.REFUSED, pb.NO_ROOM, False), ack)
            self.assertGreaterEqual(ack.retry_after_ms, 100)
            one.close()
        self.held.append(one)
        return status == 100

    def setUp(self):
        self.held = []

    def fill(self, nissad, name, size, **options):
        while size > 0:
            step = min(size, 256 * 1024)
            self.assertTrue(self.ask_room(nissad, name, step, **options), (name, size))
            size -= step

    def test_ingest_bytes_the_share_of_each_class_and_critical_bytes(self):
        nissad = self.start(self.MORE + "sender_percent = 100")
        held, percent = 0, 1048576 // 100
        for name, share in (("LOW", 50 * percent), ("NORMAL", 80 * percent), ("HIGH", 95 * percent), ("CRITICAL", 100 * percent)):
            self.fill(nissad, name, share - held)
            held = share
            if name != "CRITICAL":
                self.assertFalse(self.ask_room(nissad, name, 1), name)
        self.fill(nissad, "CRITICAL", 1 << 20)  # the reserve beside it
        self.assertFalse(self.ask_room(nissad, "CRITICAL", 1))
        samples = nissad.metrics()
        self.assertEqual(total(samples, "nissa_gate_bytes"), held + (1 << 20))
        for name in ("low", "normal", "high", "critical"):
            self.assertEqual(total(samples, "nissa_refusals_total", reason="no_room", **{"class": name}), 1)

    def test_sender_percent_of_either_pool(self):
        nissad = self.start(self.MORE + "sender_percent = 50")
        half = 1048576 // 2
        self.fill(nissad, "NORMAL", half)
        self.assertFalse(self.ask_room(nissad, "NORMAL", 1))
        self.assertTrue(self.ask_room(nissad, "NORMAL", 1, source="127.0.0.2"))
        self.fill(nissad, "CRITICAL", half)
        self.assertFalse(self.ask_room(nissad, "CRITICAL", 1))
        self.assertTrue(self.ask_room(nissad, "CRITICAL", 1, source="127.0.0.2"))

    def test_byte_wait_over_tcp(self):
        nissad = self.start(self.MORE + 'sender_percent = 100\nbyte_wait = "100ms"')
        normal, critical = self.agent(nissad), self.agent(nissad)
        batch = lambda agent, priority: agent.batch([event(operation="o" * 200)] * 20, priority)
        self.assert_counted(normal.ask(batch(normal, pb.NORMAL)), 20)
        self.fill(nissad, "NORMAL", 80 * (1048576 // 100))
        refused = normal.ask(batch(normal, pb.NORMAL))
        self.assertEqual((refused.status, refused.reason, refused.final), (pb.Ack.REFUSED, pb.NO_ROOM, False))
        self.assertEqual(refused.sequence, 2)
        self.assert_counted(critical.ask(batch(critical, pb.CRITICAL)), 20)
        for one in self.held:
            one.close()
        self.assertTrue(until(lambda: total(nissad.metrics(), "nissa_gate_bytes") == 0))
        self.assert_counted(normal.ask(batch(normal, pb.NORMAL)), 20)


class Ledger(LimitCase):
    def refused(self, ack, reason, final=False):
        self.assertEqual((ack.status, ack.reason, ack.final), (pb.Ack.REFUSED, reason, final), ack)

    def total(self, nissad):
        return nissad.window("shop-availability", "1h")["total"]

    def test_group_bytes_who_comes_beyond_waits_and_is_counted(self):
        nissad = self.start('[journal]\ngroup_bytes = "64 KiB"\ncommit_spacing = "300ms"\nslow_after = "60s"')
        agents = [self.agent(nissad) for _ in range(3)]
        for agent in agents:
            agent.send_raw(b"".join(framed("batch", agent.batch([event()])) for _ in range(200)))
        open_bytes = lambda: total(nissad.metrics(), "nissa_ledger_open_bytes")
        self.assertTrue(until(lambda: open_bytes() > 16 * 1024))
        waiting = 0
        while (counted := self.total(nissad)) < 600:
            samples = nissad.metrics()
            self.assertLessEqual(samples["nissa_ledger_open_bytes"], 64 * 1024)
            waiting = max(waiting, 600 - counted)
        self.assertGreater(waiting, 300)  # 64 KiB hold no more than about 300 batches
        for agent in agents:
            for _ in range(200):
                self.assert_counted(agent.read().ack)

    def test_slow_after_the_wait_is_told_and_the_batch_counts_once(self):
        nissad = self.start('[journal]\ncommit_spacing = "1s"\nslow_after = "100ms"')
        agent = self.agent(nissad)
        agent.ask(agent.batch([event()]))
        self.assertTrue(until(lambda: self.total(nissad) == 1))
        batch = agent.batch([event()])
        self.refused(agent.ask(batch), pb.JOURNAL_SLOW)
        status, ack = self.post(nissad, agent.batch([event()]))
        self.assertEqual(status, 503)
        self.refused(ack, pb.JOURNAL_SLOW)
        self.assertTrue(until(lambda: self.total(nissad) == 3))
        self.assertEqual(agent.ask(batch).status, pb.Ack.DUPLICATE)
        self.assertEqual(self.total(nissad), 3)

    def test_remembered_identities_cost_time_never_counts(self):
        for limit, name in (("remembered_identities = 1000", "o"), ('remembered_identity_bytes = "1 MiB"', "o" * 240)):
            with self.subTest(limit):
                nissad = self.start(f"[ingest]\n{limit}")
                agent = self.agent(nissad)
                for _ in range(2):
                    for begin in range(0, 5000, 500):
                        self.assert_counted(agent.ask(agent.batch([event(operation=f"GET {number}{name}")
                                                                   for number in range(begin, begin + 500)])), 500)
                samples = nissad.metrics()
                self.assertLessEqual(samples["nissa_fold_identities"], 1000 if name == "o" else 4999)
                self.assertLessEqual(samples["nissa_fold_identity_bytes"], (1 << 20) if name != "o" else 128 << 20)
                self.assertGreater(samples["nissa_fold_misses_total"], 5000)
                for slo in ("shop-availability", "shop-latency"):
                    self.assertEqual(nissad.window(slo, "1h")["total"], 10_000)

    def epochs_until_full(self, nissad, source=None, most=5000):
        """Agents, each with one batch counted, and one that was refused."""
        agents = []
        one = self.raw(nissad.http_port, source=source)
        seen = self.agent(nissad).seen
        while len(agents) < most:
            agent = Agent(nissad.tcp_port)
            agent.seen = seen
            ack = pb.Ack.FromString(one.ask(request(agent.batch([event()]).SerializeToString(), kind=PROTOBUF))[1])
            if ack.status != pb.Ack.COUNTED:
                self.refused(ack, pb.STREAMS_FULL)
                return agents, agent
            agents.append(agent)
        raise AssertionError("never full")

    def test_epoch_bytes_new_epochs_are_refused_live_ones_go_on(self):
        nissad = self.start('[journal]\nepoch_bytes = "1 MiB"\nprincipal_percent = 100\ncommit_spacing = "0ms"')
        agents, refused = self.epochs_until_full(nissad)
        full = nissad.metrics()["nissa_ledger_epoch_bytes"]
        self.assertLessEqual(full, (1 << 20) + FIRST_PLACE)
        self.assertGreater(full, (1 << 20) - 2 * full / len(agents))
        live = self.agent(nissad, epoch=agents[0].epoch)
        live.sequence, live.seen = 1, agents[0].seen
        self.assert_counted(live.ask(live.batch([event()], settled_below=2)))
        live.send("goodbye", pb.Goodbye(epoch=live.epoch, epoch_seen=live.seen))
        self.assertTrue(until(lambda: nissad.metrics()["nissa_ledger_epochs"] == len(agents) - 1))
        self.assert_counted(self.post(nissad, refused.batch([event()], sequence=1))[1])
        self.assertEqual(self.total(nissad), len(agents) + 2)

    def test_principal_percent_others_may_still_begin(self):
        nissad = self.start('[journal]\nepoch_bytes = "1 MiB"\nprincipal_percent = 2\ncommit_spacing = "0ms"')
        agents, refused = self.epochs_until_full(nissad)
        self.assertLessEqual(nissad.metrics()["nissa_ledger_epoch_bytes"], (1 << 20) // 100 * 2 + FIRST_PLACE)
        one = self.raw(nissad.http_port, source="127.0.0.2")
        batch = refused.batch([event()], sequence=1)
        self.assert_counted(pb.Ack.FromString(one.ask(request(batch.SerializeToString(), kind=PROTOBUF))[1]))
        self.assertEqual(self.total(nissad), len(agents) + 1)

    def test_tombstone_bytes_an_ended_epoch_stays_ended(self):
        nissad = self.start('[journal]\ntombstone_bytes = "64 KiB"\ncommit_spacing = "0ms"')
        last = self.agent(nissad)
        seen = {}
        for last.epoch in range(1, 601):  # 512 tombstones of 128 bytes
            seen[last.epoch] = last.seen
            last.sequence = 0
            ack = last.ask(last.batch([event()]))
            self.assert_counted(ack)
            last.send("goodbye", pb.Goodbye(epoch=last.epoch, epoch_seen=last.seen))
            last.seen = ack.now  # the oldest go first, and with them whatever began no later
        self.assertTrue(until(lambda: nissad.metrics()["nissa_ledger_epochs"] == 0))
        self.assertLessEqual(nissad.metrics()["nissa_ledger_tombstones"], 512)
        for last.epoch in (1, 2, 300, 600):
            last.seen = seen[last.epoch]
            self.refused(last.ask(last.batch([event()], sequence=2, settled_below=2)), pb.UNKNOWN_EPOCH, final=True)
        fresh = self.agent(nissad)
        self.assert_counted(fresh.ask(fresh.batch([event()])))
        self.assertEqual(self.total(nissad), 601)

    def test_an_event_belongs_to_64_slos_those_first_in_the_file(self):
        slos = "".join(f'[[slo]]\nname = "slo-{number}"\nsli = "availability"\nobjective = "99 %"\n' for number in range(66))
        nissad = self.start(slos=slos)
        agent = self.agent(nissad)
        self.assert_counted(agent.ask(agent.batch([event()])))
        counted = [nissad.window(f"slo-{number}", "1h")["total"] for number in range(66)]
        self.assertEqual(counted, [1] * 64 + [0] * 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
