#!/usr/bin/python3
"""From a batch over TCP to exact budgets, seen from outside."""
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb, varint  # noqa: E402
from support.nissad import PROGRAMS, TWO_SLOS, Nissad, check_books, total  # noqa: E402


class FirstFlow(unittest.TestCase):
    def test_a_batch_becomes_good_and_total_of_the_slos_it_matches(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            ack = agent.ask(agent.batch([event(), event(duration_ms=500), event(outcome=1), event(service="other")]))
            self.assertEqual((ack.status, ack.accepted, ack.late), (pb.Ack.COUNTED, 4, 0))
            hour = nissad.window("shop-availability", "1h")
            self.assertEqual((hour["good"], hour["total"]), (2, 3))
            hour = nissad.window("shop-latency", "1h")
            self.assertEqual((hour["good"], hour["total"]), (1, 2))
            self.assertEqual(nissad.slo("shop-availability")["state"], "exhausted")
            check_books(nissad)

    def test_a_repeated_batch_is_a_duplicate_and_counted_once(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            batch = agent.batch([event()] * 7)
            self.assertEqual(agent.ask(batch).status, pb.Ack.COUNTED)
            self.assertEqual(agent.ask(batch).status, pb.Ack.DUPLICATE)
            other = Agent(nissad.tcp_port, epoch=agent.epoch)
            other.seen = agent.seen
            other.connect()
            batch.settled_below = 1
            self.assertEqual(other.ask(batch).status, pb.Ack.DUPLICATE)
            self.assertEqual(nissad.window("shop-availability", "5m")["total"], 7)
            check_books(nissad)

    def test_the_same_key_with_another_body_is_a_conflict(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            changed = agent.batch([event(), event()], sequence=1)
            self.assertEqual(agent.ask(changed).status, pb.Ack.CONFLICT)
            self.assertEqual(nissad.window("shop-availability", "5m")["total"], 1)
            check_books(nissad)

    def test_kill_and_restart_find_every_acknowledged_event_once(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            batches = [agent.batch([event(outcome=number % 2)]) for number in range(50)]
            for batch in batches:
                agent.send("batch", batch)
            self.assertEqual({agent.read().ack.status for _ in batches}, {pb.Ack.COUNTED})
            nissad.kill()
            nissad.start()
            day = nissad.window("shop-availability", "1d")
            self.assertEqual((day["good"], day["total"]), (25, 50))
            agent.connect()
            for batch in batches:
                self.assertEqual(agent.ask(batch).status, pb.Ack.DUPLICATE)
            self.assertEqual(nissad.window("shop-availability", "1d")["total"], 50)
            check_books(nissad)

    def test_bad_frames_are_answered_with_offset_field_and_reason_and_neighbours_live(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            good = agent.batch([event()])
            bad = agent.batch([event()])
            bad.events[0].service = "shop"
            raw = bad.SerializeToString()
            raw = raw[:raw.index(b"shop")] + b"sh\xffp" + raw[raw.index(b"shop") + 4:]
            inner = b"\x12" + varint(len(raw)) + raw
            unknown = b"\x7a\x01\x00"
            agent.send_raw(varint(len(inner)) + inner + varint(len(unknown)) + unknown)
            agent.send("batch", good)
            answers = [agent.read().ack for _ in range(3)]
            by_status = {(one.status, one.reason) for one in answers}
            self.assertIn((pb.Ack.MALFORMED, pb.BAD_UTF8), by_status)
            self.assertIn((pb.Ack.MALFORMED, pb.FRAME_UNKNOWN), by_status)
            self.assertIn((pb.Ack.COUNTED, pb.NONE), by_status)
            fault = next(one for one in answers if one.reason == pb.BAD_UTF8)
            self.assertEqual(fault.field, "events[0].service")
            self.assertEqual(raw[fault.byte_offset:fault.byte_offset + 4], b"sh\xffp")
            self.assertEqual(nissad.window("shop-availability", "5m")["total"], 1)
            check_books(nissad)

    def test_metrics_alerts_and_commands_are_refused_as_not_supported(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            batch = agent.batch([])
            batch.event_count = 1
            batch.metrics.add(name="queue", value=1.0)
            ack = agent.ask(batch)
            self.assertEqual((ack.status, ack.reason, ack.final), (pb.Ack.REFUSED, pb.NOT_SUPPORTED, True))
            agent.send("control", pb.ControlCommand(id=5, name="mode"))
            reply = agent.read().control_reply
            self.assertEqual((reply.id, reply.done, reply.reason), (5, False, pb.NOT_SUPPORTED))
            check_books(nissad)

    def test_old_and_future_events_are_rejected_alone(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            now = time.time_ns()
            ack = agent.ask(agent.batch([event(), event(when_ns=now - 40 * 86400 * 10**9),
                                         event(when_ns=now + 60 * 10**9), event(service="")]))
            self.assertEqual((ack.status, ack.accepted, ack.late), (pb.Ack.COUNTED, 1, 1))
            self.assertEqual({(one.fault, one.count) for one in ack.rejected}, {(pb.IN_THE_FUTURE, 1), (pb.NO_SERVICE, 1)})
            check_books(nissad)

    def test_an_epoch_of_another_state_is_unknown(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            agent.seen.state_id ^= 1
            ack = agent.ask(agent.batch([event()]))
            self.assertEqual((ack.status, ack.reason, ack.final), (pb.Ack.REFUSED, pb.UNKNOWN_EPOCH, True))
            check_books(nissad)

    def test_goodbye_ends_an_epoch(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            goodbye = pb.Goodbye(epoch=agent.epoch)
            goodbye.epoch_seen.CopyFrom(agent.seen)
            agent.send("goodbye", goodbye)
            deadline = time.monotonic() + 10
            while True:
                ack = agent.ask(agent.batch([event()], sequence=2))
                if ack.reason != pb.EPOCH_CLOSING or time.monotonic() > deadline:
                    break
            self.assertEqual((ack.status, ack.reason), (pb.Ack.REFUSED, pb.UNKNOWN_EPOCH))
            check_books(nissad)

    def test_sigterm_says_go_away_commits_what_is_in_hand_and_exits_with_zero(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            for _ in range(20):
                agent.send("batch", agent.batch([event()]))
            self.assertEqual(nissad.stop(), 0)
            counted, away = 0, False
            try:
                while True:
                    frame = agent.read()
                    counted += frame.HasField("ack") and frame.ack.status == pb.Ack.COUNTED
                    away |= frame.HasField("go_away")
            except (EOFError, ConnectionError):
                pass
            self.assertTrue(away)
            nissad.start()
            self.assertGreaterEqual(nissad.window("shop-availability", "1h")["total"] or 0, counted)
            check_books(nissad)

    def test_prometheus_tools_find_nothing_to_say_about_the_metrics(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            agent.ask(agent.batch([event()]))
            checked = subprocess.run(["promtool", "check", "metrics"], input=nissad.get("/metrics"), text=True,
                                     capture_output=True)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
            samples = check_books(nissad)
            self.assertEqual(total(samples, "nissa_slo_events_total", slo="shop-availability", verdict="good"), 1)

    def test_streams_are_listed(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port, name="listed").connect()
            agent.ask(agent.batch([event()], priority=pb.HIGH))
            listed = nissad.json("/api/v2/streams")["epochs"]
            self.assertEqual([(one["agent"], one["streams"][0]["priority"]) for one in listed], [("listed", "high")])
            check_books(nissad)

    def test_a_wrong_configuration_is_refused_with_file_line_and_column(self):
        nissad = Nissad(slos=TWO_SLOS.replace("objective", "objektive", 1))
        checked = subprocess.run([PROGRAMS / "nissad", "--check-config", "--config", nissad.config], text=True,
                                 capture_output=True)
        self.assertEqual(checked.returncode, 2)
        self.assertRegex(checked.stderr, r"nissa\.toml:\d+:\d+: unknown key slo\[1\]\.objektive of shop-availability; did you mean slo\[1\]\.objective\?")


if __name__ == "__main__":
    unittest.main(verbosity=2)
