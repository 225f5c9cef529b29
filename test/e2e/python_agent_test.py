#!/usr/bin/python3
"""docs/protocol.md taken at its word: the agent that it shows, run as it stands there; its frame in hex."""
import logging
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import event, pb, varint  # noqa: E402
from support.documents import blocks, section  # noqa: E402
from support.fault_proxy import Faults, FaultProxy  # noqa: E402
from support.nissad import ROOT, Nissad, check_books, free_port  # noqa: E402
from support.raw_http import until  # noqa: E402
from support.scripted_server import ScriptedServer  # noqa: E402

HERE = section("protocol.md", "An agent in Python")
AGENT, EXAMPLE = blocks(HERE, "python")
COMMANDS, = blocks(HERE, "sh")
logging.getLogger("nissa").addHandler(logging.NullHandler())  # else it would be told on standard error
COUNTED, DUPLICATE = {"status": pb.Ack.COUNTED, "accepted": 1}, {"status": pb.Ack.DUPLICATE}


def shown_agent():
    names = {}
    exec(compile(AGENT, "docs/protocol.md", "exec"), names)
    return names


Agent = shown_agent()["Agent"]


def refused(reason, retry_after_ms=20):
    final = reason in (pb.UNKNOWN_EPOCH, pb.NOT_SUPPORTED)
    return {"status": pb.Ack.REFUSED, "reason": reason, "final": final, "retry_after_ms": 0 if final else retry_after_ms}


class AgainstTheRealServer(unittest.TestCase):
    def test_across_kills_and_lost_acks_exactly_what_was_sent_is_counted(self):
        with Nissad() as nissad:
            proxy = FaultProxy(nissad.tcp_port, seed=5, down=Faults(cut=(500, 4000)))
            self.addCleanup(proxy.close)
            sent = bad = 0
            stopped = threading.Event()

            def kill_now_and_then():
                for _ in range(3):
                    if stopped.wait(0.7):
                        return
                    nissad.kill()
                    time.sleep(0.3)
                    nissad.start()

            killer = threading.Thread(target=kill_now_and_then)
            killer.start()
            agent = Agent("127.0.0.1", proxy.port, "shown")
            while killer.is_alive():
                outcomes = [number % 10 == sent % 10 for number in range(1 + sent % 37)]
                agent.send([event(outcome=failed) for failed in outcomes])
                sent, bad = sent + len(outcomes), bad + sum(outcomes)
                time.sleep(0.001)
            agent.close()
            stopped.set()
            killer.join()
            self.assertEqual((agent.dropped, agent.uncertain), (0, 0))
            self.assertGreater(proxy.done["cut"], 5)
            self.assertGreater(sent, 1000)
            lifetime = nissad.slo("shop-availability")["lifetime"]
            self.assertEqual((lifetime["good"], lifetime["total"]), (sent - bad, sent))
            # Its Goodbye ended its epoch: nothing of it is remembered but that it is over.
            streams = nissad.json("/api/v2/streams")
            deadline = time.monotonic() + 10
            while streams["tombstones"] == 0 and time.monotonic() < deadline:
                time.sleep(0.05)
                streams = nissad.json("/api/v2/streams")
            self.assertEqual((streams["epochs_remembered"], streams["tombstones"]), (0, 1))
            check_books(nissad)

    def test_after_the_state_was_replaced_a_batch_in_doubt_is_said_and_the_next_is_counted_under_a_new_epoch(self):
        with Nissad() as nissad:
            agent = Agent("127.0.0.1", nissad.tcp_port, "shown")
            agent.send([event()] * 3)
            agent._run(lambda: not agent.open)
            first = agent.epoch
            nissad.kill()
            (nissad.folder / "state").rename(nissad.folder / "old-state")
            nissad.start()
            agent.send([event()] * 4)  # into the connection that is dead: nobody can tell that it did not arrive
            agent._run(lambda: not agent.open)
            self.assertEqual((agent.dropped, agent.uncertain), (0, 4))
            agent.send([event()] * 5)
            agent._run(lambda: not agent.open and not agent.queue)
            self.assertNotEqual(agent.epoch, first)
            agent.close()
            self.assertEqual((agent.dropped, agent.uncertain), (0, 4))
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 5)
            check_books(nissad)

    def test_the_example_of_its_use_runs(self):
        slos = '[[slo]]\nname = "orders"\nservice = "checkout"\noperation = "POST /orders"\nsli = "availability"\nobjective = "99 %"\n'
        with Nissad(slos) as nissad:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="nissa-orders-"))
            self.addCleanup(shutil.rmtree, folder)
            shutil.copytree(ROOT / "proto", folder / "proto")
            (folder / "orders.py").write_text(AGENT + EXAMPLE.replace("7440", str(nissad.tcp_port)))
            install, *commands = COMMANDS.splitlines()
            self.assertTrue(install.startswith("apt-get install "))
            clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            done = subprocess.run(["sh", "-e"], input="\n".join(commands), cwd=folder, env=clean, text=True, capture_output=True)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
            self.assertEqual(sorted(path.name for path in folder.iterdir()), ["nissa_python", "orders.py", "proto"])
            self.assertEqual(nissad.slo("orders")["lifetime"], {"good": 1, "total": 1})
            check_books(nissad)

    def test_events_that_are_not_taken_or_belong_to_no_slo_are_logged(self):
        with Nissad() as nissad:
            agent = Agent("127.0.0.1", nissad.tcp_port, "shown")
            now = time.time_ns()
            events = [event(), event(when_ns=now - 40 * 86_400 * 10**9), event(when_ns=now + 3_600 * 10**9),
                      event(when_ns=now + 3_600 * 10**9), event(service="shpo")]
            with self.assertLogs("nissa", logging.WARNING) as logs:
                agent.send(events)
                self.assertTrue(agent.close())
            told = [one.getMessage() for one in logs.records]
            self.assertEqual(told, ["events were not taken: {'IN_THE_FUTURE': 2, 'TOO_OLD': 1}",
                                    "1 events belong to no SLO: is their service spelt right?"])
            self.assertEqual((agent.rejected, agent.dropped, agent.uncertain), (3, 0, 0))
            check_books(nissad)

    def test_at_a_wrong_port_it_says_so_and_gives_the_events_back_in_time(self):
        with Nissad() as nissad:
            for port, says in ((nissad.http_port, "is the port right"), (nissad.admin_port, "is the port right"),
                               (free_port(), "Connection refused")):
                agent = Agent("127.0.0.1", port, "shown")
                with self.subTest(says=says), self.assertLogs("nissa", logging.WARNING) as logs:
                    with self.assertRaises(TimeoutError) as refused:
                        agent.send([event()], timeout=3)
                    self.assertIn(str(port), str(refused.exception))
                    self.assertIn(says, logs.output[0])
                    self.assertTrue(agent.queue == agent.queue.__class__() and not agent.open, "nothing was taken")
                    self.assertFalse(agent.close(timeout=0))
            check_books(nissad)


class AgainstEveryAnswer(unittest.TestCase):
    """The table "What an agent does on each answer", row by row."""

    def settle(self, answer, batches=1):
        """What became of so many batches of one event at a server that answers so."""
        server = ScriptedServer(answer)
        self.addCleanup(server.__exit__)
        agent = Agent("127.0.0.1", server.port, "shown")

        def send():
            for _ in range(batches):
                agent.send([event()])
            agent.close()

        self.assertTrue(self.ends(send, within=20), "it goes on for ever")
        deadline = time.monotonic() + 5
        while not server.goodbyes and not agent.suspect and time.monotonic() < deadline:
            time.sleep(0.01)
        return agent, server

    def ends(self, work, within):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(within)
        return not thread.is_alive()

    def test_counted_and_duplicate_settle_a_batch_and_the_epoch_ends_with_a_goodbye(self):
        agent, server = self.settle(lambda number, _: COUNTED if number % 2 else DUPLICATE, batches=10)
        self.assertEqual([batch.sequence for batch in server.batches], list(range(1, 11)))
        self.assertEqual((agent.dropped, agent.uncertain, server.goodbyes), (0, 0, [server.batches[0].epoch]))

    def test_no_more_than_is_allowed_is_in_flight_and_settled_below_follows_acks_in_any_order(self):
        size = pb.TelemetryBatch(events=[event()]).ByteSize()
        for most, limits in ((8, {}), (64, {"window_batches": 8}), (64, {"window_bytes": 8 * (size + 256 + 50)})):
            with self.subTest(limits=limits or "its own"):
                server = ScriptedServer(lambda number, _: COUNTED if number % 3 == 0 else "nothing", **limits)
                self.addCleanup(server.__exit__)
                agent = Agent("127.0.0.1", server.port, "shown", most=most)
                self.assertFalse(self.ends(lambda: [agent.send([event()]) for _ in range(80)], within=0.5), "it waits")
                self.addCleanup(agent.connection.close)
                unanswered = lambda batches: len(batches) - (len(batches) + 2) // 3
                self.assertTrue(until(lambda: unanswered(server.batches) >= 7))
                time.sleep(0.2)  # in which too many would come
                batches = server.batches[:]
                self.assertLessEqual(unanswered(batches), 8)
                settled = [batch.settled_below for batch in batches]
                self.assertEqual((settled, settled[0], settled[-1]), (sorted(settled), 1, 2))  # 2 was never answered

    def test_a_refusal_for_now_closes_the_class_and_comes_back_under_the_same_key(self):
        for reason in (pb.OVERLOADED, pb.NO_ROOM, pb.DISK_FULL, pb.STREAMS_FULL, pb.WINDOW_FULL, pb.SHUTTING_DOWN,
                       pb.EPOCH_CLOSING, pb.JOURNAL, pb.JOURNAL_SLOW):
            with self.subTest(reason=pb.Reason.Name(reason)):
                begun = time.monotonic()
                agent, server = self.settle(lambda number, _: COUNTED if number else refused(reason, 150))
                self.assertGreaterEqual(time.monotonic() - begun, 0.15)
                first, second = server.batches
                self.assertEqual((first.epoch, first.sequence, first.events), (second.epoch, second.sequence, second.events))
                self.assertEqual((agent.dropped, agent.uncertain), (0, 0))

    def test_a_lost_connection_is_followed_by_the_same_keys_and_the_same_bodies(self):
        agent, server = self.settle(lambda number, _: None if number in (2, 5) else COUNTED, batches=6)
        self.assertGreaterEqual(len(server.hellos), 3)
        bodies = {}
        for batch in server.batches:
            self.assertEqual(bodies.setdefault(batch.sequence, batch.events), batch.events)
        self.assertEqual((sorted(bodies), len({batch.epoch for batch in server.batches})), ([1, 2, 3, 4, 5, 6], 1))
        self.assertEqual((agent.dropped, agent.uncertain), (0, 0))

    def test_unknown_epoch_to_every_sending_means_a_new_key_in_a_new_epoch(self):
        agent, server = self.settle(lambda number, _: COUNTED if number else refused(pb.UNKNOWN_EPOCH))
        first, second = server.batches
        self.assertNotEqual(first.epoch, second.epoch)
        self.assertEqual((second.sequence, first.events, agent.uncertain), (1, second.events, 0))
        self.assertEqual(server.goodbyes, [second.epoch], "none for the one that is not known")

    def test_unknown_epoch_after_a_sending_without_that_answer_is_uncertain_and_never_sent_again(self):
        for before in (None, refused(pb.JOURNAL), refused(pb.OVERLOADED)):
            with self.subTest(before=before):
                agent, server = self.settle(lambda number, _: refused(pb.UNKNOWN_EPOCH) if number else before)
                self.assertEqual((len(server.batches), agent.uncertain, agent.dropped), (2, 1, 0))

    def test_conflict_is_a_new_key_and_below_low_is_uncertain(self):
        agent, server = self.settle(lambda number, _: COUNTED if number else {"status": pb.Ack.CONFLICT})
        self.assertNotEqual(server.batches[0].epoch, server.batches[1].epoch)
        self.assertEqual(agent.uncertain, 0)
        agent, server = self.settle(lambda number, _: {**DUPLICATE, "reason": pb.BELOW_LOW})
        self.assertEqual((len(server.batches), agent.uncertain), (1, 1))

    def test_without_answers_send_and_close_end_in_time_and_what_was_taken_is_told(self):
        server = ScriptedServer(lambda *_: "nothing")
        self.addCleanup(server.__exit__)
        agent = Agent("127.0.0.1", server.port, "shown", most=8)
        for _ in range(8):
            agent.send([event()] * 2, timeout=0.1)
        for _ in range(3):
            with self.assertRaises(TimeoutError):
                agent.send([event()] * 2, timeout=0.1)
        self.assertEqual(agent.connection.gettimeout(), 60, "a short wait is not the bound of what follows")
        with self.assertLogs("nissa", logging.ERROR) as logs:
            self.assertFalse(agent.close(timeout=0.1))
        self.assertEqual((len(server.hellos), len(server.batches)), (1, 8), "waiting breaks no connection")
        self.assertEqual((agent.uncertain, agent.dropped, len(logs.output)), (16, 0, 8))

    def test_what_is_malformed_is_logged_with_offset_field_and_reason(self):
        answer = {"status": pb.Ack.MALFORMED, "reason": pb.BAD_UTF8, "final": True, "byte_offset": 70,
                  "field": "events[0].service"}
        with self.assertLogs("nissa", logging.ERROR) as logs:
            self.settle(lambda *_: answer)
        self.assertEqual([one.getMessage() for one in logs.records],
                         ["1 events dropped: BAD_UTF8, byte 70, field 'events[0].service'"])

    def test_what_is_final_is_dropped_and_said_in_the_next_header(self):
        for answer in ({"status": pb.Ack.MALFORMED, "reason": pb.BAD_UTF8, "final": True}, refused(pb.NOT_SUPPORTED)):
            agent, server = self.settle(lambda number, _: COUNTED if number else answer, batches=100)
            self.assertEqual((len(server.batches), agent.dropped, agent.uncertain), (100, 1, 0))
            self.assertEqual(server.batches[-1].dropped_events, 1)

    def test_an_epoch_that_the_server_does_not_know_any_more_keeps_its_batches_and_takes_no_new_ones(self):
        def answer(number, _):
            if number != 1:
                return COUNTED
            server.known.clear()
            return None

        with ScriptedServer(answer) as server:
            agent = Agent("127.0.0.1", server.port, "shown")
            for _ in range(3):
                agent.send([event()])
                agent._run(lambda: not agent.open)
            agent.close()
            keys = [(batch.epoch == server.batches[0].epoch, batch.sequence) for batch in server.batches]
            self.assertEqual(keys, [(True, 1), (True, 2), (True, 2), (False, 1)])

    def test_an_epoch_that_is_a_day_old_takes_no_new_batches(self):
        with ScriptedServer(lambda number, _: COUNTED) as server:
            agent = Agent("127.0.0.1", server.port, "shown")
            agent.send([event()])
            agent._run(lambda: not agent.open)
            server.now.running_ms += 86_400_000 - 1
            agent.send([event()])
            agent._run(lambda: not agent.open)  # told the time, and renewed by COUNTED
            self.assertEqual(len({batch.epoch for batch in server.batches}), 1)
            agent.now.running_ms += 86_400_000
            agent.send([event()])
            agent.close()
            self.assertEqual(len({batch.epoch for batch in server.batches}), 2)
            self.assertEqual(server.batches[-1].sequence, 1)


class TheFrameInHex(unittest.TestCase):
    def test_it_is_what_protobuf_makes_of_what_stands_beside_it(self):
        shown, = blocks(section("protocol.md", "A frame in hex"), "")
        pairs = (re.match(r"\s*((?:[0-9a-f]{2} )*[0-9a-f]{2})(?:\s{2}|$)", line) for line in shown.splitlines())
        data = bytes.fromhex("".join(pair.group(1) for pair in pairs if pair))
        made = pb.ClientFrame()
        batch = made.batch
        batch.epoch, batch.priority, batch.sequence, batch.settled_below = 0x1122334455667788, pb.NORMAL, 1, 1
        batch.event_count, batch.sent_at_unix_ns, batch.agent = 1, 1_700_000_000_000_000_000, "web-1"
        batch.epoch_seen.state_id, batch.epoch_seen.running_ms = 0x0102030405060708, 42
        one = batch.events.add(time_unix_ns=1_700_000_000_000_000_000, duration_ns=12_000_000, service="shop",
                               outcome=pb.TelemetryEvent.OK, operation="GET /")
        one.labels.add(key="region", value="eu-1")
        body = made.SerializeToString()
        self.assertEqual(data, varint(len(body)) + body)
        self.assertEqual(len(data), 100)


if __name__ == "__main__":
    unittest.main()
