#!/usr/bin/python3
"""A damaged state, as whoever operates Nissa meets it: the start refuses it and names both ways on; with --accept-loss it
goes on from the last sound record, under a new id. What is lost is not measured, nothing is counted twice, and the files
are kept as they were."""
import contextlib
import json
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb  # noqa: E402
from support.nissad import PROGRAMS, SHOP_AVAILABILITY, Nissad, check_books  # noqa: E402
from support.states import files_in, run_nissad  # noqa: E402

ACCEPTING = ("sh", "-c", 'exec "$@" --accept-loss', "sh")


def inspected(state):
    return json.loads(run_nissad("inspect", state, "--json").stdout)


def lifetime(found):
    return next(slo["lifetime"]["total"] for slo in found["slos"] if slo["name"] == "shop-availability")


class AcceptLoss(unittest.TestCase):
    def counted(self, nissad, batches=40):
        """An agent and its batches: a record each, all acknowledged."""
        agent = Agent(nissad.tcp_port).connect()
        self.addCleanup(agent.close)
        sent = [agent.batch([event()]) for _ in range(batches)]
        for batch in sent:
            self.assertEqual(agent.ask(batch).status, pb.Ack.COUNTED)
        return agent, sent

    def refused(self, nissad):
        before = files_in(nissad.folder / "state")
        done = run_nissad("--config", nissad.config)
        self.assertEqual(done.returncode, 3, done)
        for word in ("Nothing was changed", "restore a backup", "--accept-loss"):
            self.assertIn(word, done.stderr)
        self.assertEqual(files_in(nissad.folder / "state"), before)
        return before

    def accept(self, nissad):
        nissad.under = ACCEPTING
        nissad.start()
        nissad.under = ()

    def kept(self, nissad):
        return list((nissad.folder / "state").glob("damaged-*"))

    def test_with_its_log_cut_off_the_state_goes_on_from_the_last_sound_record_and_what_is_sent_again_counts_once(self):
        with Nissad() as nissad:
            state = nissad.folder / "state"
            agent, sent = self.counted(nissad)
            late = Agent(nissad.tcp_port).connect()
            self.addCleanup(late.close)
            lost = late.batch([event()])
            self.assertEqual(late.ask(lost).status, pb.Ack.COUNTED)
            nissad.kill()
            log = state / "state-1.db-wal"
            log.write_bytes(log.read_bytes()[:log.stat().st_size * 2 // 3])
            damaged = self.refused(nissad)
            self.accept(nissad)
            self.assertIn("the loss is accepted", nissad.log_text())
            kept, = self.kept(nissad)
            self.assertEqual(files_in(kept), damaged)
            self.assertFalse((state / "state-1.db").exists())
            total = nissad.slo("shop-availability")["lifetime"]["total"]
            self.assertTrue(0 < total < len(sent), total)

            # What was acknowledged and lost may be counted again; what is there is not.
            for one in (agent, late):
                one.close()
                one.connect()
                self.assertNotEqual(one.hello.now.state_id, one.seen.state_id)
            statuses = [agent.ask(batch).status for batch in sent]
            self.assertEqual(statuses, [pb.Ack.DUPLICATE] * total + [pb.Ack.COUNTED] * (len(sent) - total))
            ack = late.ask(lost)
            self.assertEqual((ack.status, ack.reason), (pb.Ack.REFUSED, pb.UNKNOWN_EPOCH))
            fresh = Agent(nissad.tcp_port).connect()
            self.addCleanup(fresh.close)
            self.assertEqual(fresh.ask(fresh.batch([event()])).status, pb.Ack.COUNTED)
            check_books(nissad)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], len(sent) + 1)

            # From here on it is a state like any other.
            self.assertEqual(nissad.stop(), 0)
            nissad.start()
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], len(sent) + 1)
            self.assertEqual(nissad.stop(), 0)
            self.assertEqual(run_nissad("verify", state).returncode, 0)
            self.assertEqual(files_in(kept), damaged)

    def test_the_time_from_the_last_sound_record_is_not_measured_however_short_it_is(self):
        with Nissad() as nissad:
            state = nissad.folder / "state"
            self.counted(nissad)
            time.sleep(2)
            nissad.kill()
            log = state / "state-1.db-wal"
            log.write_bytes(log.read_bytes()[:log.stat().st_size // 2])
            time.sleep(2)
            before_ms = time.time() * 1000
            self.accept(nissad)
            started = time.monotonic()
            gap, = inspected(state)["gaps"]
            self.assertGreater(gap["to_ms"] - gap["from_ms"], 4_000)
            self.assertGreaterEqual(gap["to_ms"], before_ms - 1)
            measured = nissad.window("shop-availability", "5m")["coverage"] * 300
            self.assertLess(measured, time.monotonic() - started + 1.5)
            check_books(nissad)

    def test_without_anchor_or_with_a_damaged_record_what_is_sound_is_there(self):
        def lose_anchor(state):
            (state / "ANCHOR").unlink()
            return 0

        def damage_a_record(state):
            with contextlib.closing(sqlite3.connect(state / "state-1.db")) as database, database:
                last, = database.execute("SELECT max(lsn) FROM records").fetchone()
                database.execute("UPDATE records SET bytes = zeroblob(length(bytes)) WHERE lsn = ?", (last - 9,))
            (state / "state-1.db-wal").touch()
            return 10

        for damage in (lose_anchor, damage_a_record):
            with self.subTest(damage=damage.__name__), Nissad() as nissad:
                state = nissad.folder / "state"
                self.counted(nissad)
                nissad.kill()
                lsn = inspected(state)["lsn"]
                lost = damage(state)
                self.refused(nissad)
                self.accept(nissad)
                self.assertIn(f"last_sound_lsn={lsn - lost} ", nissad.log_text())
                total = nissad.slo("shop-availability")["lifetime"]["total"]
                self.assertTrue(40 - lost <= total <= 40, total)
                self.assertEqual(total == 40, lost == 0)
                check_books(nissad)

    def test_nissa_send_is_told_of_another_state_and_goes_on_and_what_it_had_an_answer_for_is_not_sent_again(self):
        with Nissad(SHOP_AVAILABILITY) as nissad, tempfile.TemporaryDirectory() as folder:
            followed = pathlib.Path(folder) / "app.log"

            def total():
                return nissad.slo("shop-availability")["lifetime"]["total"]

            def write(lines):
                with open(followed, "a") as file:
                    file.write('{"operation": "GET /"}\n' * lines)

            def until_counted(lines):
                deadline = time.monotonic() + 60
                while total() < lines and time.monotonic() < deadline:
                    time.sleep(0.05)
                self.assertEqual(total(), lines)

            write(10)
            sender = subprocess.Popen(
                [PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{nissad.tcp_port}", "--service", "shop", "--follow",
                 followed, "--state", folder + "/state", "--batch-age-ms", "5"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(sender.kill)
            until_counted(10)
            for written in range(20, 210, 10):
                write(10)
                until_counted(written)
            nissad.kill()
            log = nissad.folder / "state/state-1.db-wal"
            log.write_bytes(log.read_bytes()[:log.stat().st_size * 2 // 3])
            self.refused(nissad)
            self.accept(nissad)
            sound = total()
            self.assertTrue(0 < sound < 200, sound)
            write(30)
            until_counted(sound + 30)
            check_books(nissad)
            sender.terminate()
            summary, said = sender.communicate(timeout=60)
            self.assertEqual(sender.returncode, 0, said)
            self.assertEqual(said.count("or it was started with --accept-loss"), 1, said)
            self.assertRegex(summary, r"\b230\b.* acknowledged")

    def test_where_nothing_sound_is_it_is_refused_too_and_nothing_is_changed(self):
        with Nissad() as nissad:
            state = nissad.folder / "state"
            self.counted(nissad)
            self.assertEqual(nissad.stop(), 0)
            (state / "state-1.db").write_bytes(random.Random(1).randbytes(100_000))
            before = self.refused(nissad)
            done = subprocess.run([PROGRAMS / "nissad", "--config", nissad.config, "--accept-loss"], capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(done.returncode, 3, done)
            self.assertIn("nothing sound", done.stderr)
            self.assertEqual(files_in(state), before)
            self.assertEqual(self.kept(nissad), [])

    def test_a_sound_state_and_an_empty_folder_are_left_as_they_are(self):
        with Nissad() as nissad:
            state = nissad.folder / "state"
            self.counted(nissad, 3)
            before = inspected(state)["state_id"]
            nissad.kill()
            self.accept(nissad)
            self.assertIn("nothing to do", nissad.log_text())
            self.assertEqual(inspected(state)["state_id"], before)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 3)
            self.assertEqual(self.kept(nissad), [])
            check_books(nissad)

    def test_killed_at_any_moment_it_leaves_the_damaged_state_or_the_new_one(self):
        seed = random.randrange(2**32)
        print(f"seed {seed}")
        chance = random.Random(seed)
        with Nissad() as nissad:
            state = nissad.folder / "state"
            self.counted(nissad)
            nissad.kill()
            log = state / "state-1.db-wal"
            log.write_bytes(log.read_bytes()[:log.stat().st_size * 2 // 3])
            damaged = files_in(state)
            outcomes = set()
            most_s = 0.04  # until most are killed close to the moment that decides
            for _ in range(60):
                for one in state.iterdir():
                    if one.is_file() and one.name != "lock":
                        one.unlink()
                for name, data in damaged.items():
                    (state / name).write_bytes(data)
                before = set(self.kept(nissad))
                accepting = subprocess.Popen([PROGRAMS / "nissad", "--config", nissad.config, "--accept-loss"],
                                             stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                time.sleep(chance.uniform(0, most_s))
                accepting.kill()
                accepting.wait()
                found = inspected(state)
                new = set(self.kept(nissad)) - before
                if found["damage"]:
                    self.assertEqual(found["damage"]["name"], "tail_missing")
                    for name, data in damaged.items():
                        self.assertEqual((state / name).read_bytes(), data)
                else:
                    self.assertEqual(files_in(new.pop()), damaged)
                    self.assertTrue(0 < lifetime(found) < 40)
                outcomes.add(found["damage"] is None)
                most_s = min(most_s * 1.2, 5) if found["damage"] else most_s / 1.2
            self.assertEqual(outcomes, {True, False})
            self.accept(nissad)
            self.assertTrue(0 < nissad.slo("shop-availability")["lifetime"]["total"] < 40)
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
