#!/usr/bin/python3
"""Backups of a running server under load, and what a start on one makes of it: what was acknowledged before it was asked
for is in it, under a state id of its own, and the original goes on as if nothing had been."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb  # noqa: E402
from support.held import Held  # noqa: E402
from support.nissad import PROGRAMS, ROOT, Nissad, check_books, total  # noqa: E402
from support.raw_http import until  # noqa: E402
from support.scenario import availability, check_alive, check_buckets, check_totals, inspected, settle  # noqa: E402
from support.sender import TcpSender  # noqa: E402


def ask_for_backup(nissad):
    """As docs/operations.md does it: status and body."""
    done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}",
                           f"http://127.0.0.1:{nissad.admin_port}/api/v2/backup"],
                          text=True, capture_output=True, check=True, timeout=60)
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(body)


def backed_up(nissad):
    status, made = ask_for_backup(nissad)
    assert status == 201, (status, made)
    return made


def with_backups(slos, more="", **options):
    nissad = Nissad(slos)
    nissad.backups = nissad.folder / "backups"
    nissad.configure(slos, f'[journal]\nbackup_directory = "{nissad.backups}"\n{more}')
    return nissad


def restored(backup, slos):
    """A server on a copy of it, before its start."""
    nissad = Nissad(slos)
    shutil.copytree(backup, nissad.folder / "state")
    return nissad


def state_id(nissad):
    agent = Agent(nissad.tcp_port).connect()
    agent.close()
    return agent.hello.now.state_id


def thread_waits(nissad, name):
    """Whether there is one of this name, and it sleeps."""
    stats = [one.read_text() for one in pathlib.Path(f"/proc/{nissad.process.pid}/task").glob("*/stat")]
    return any(f"({name}) S " in one for one in stats)


def lifetime(nissad, slo):
    return nissad.slo(slo)["lifetime"]["total"]


class Backups(unittest.TestCase):
    def test_backups_under_load_hold_what_was_acknowledged_before_and_the_original_goes_on(self):
        names = ["one", "two", "three"]
        slos = "".join(map(availability, names))
        # A small log, so that checkpoints come often: none may fall into a backup, and none may be missing afterwards.
        with with_backups(slos, 'checkpoint_bytes = "1 MiB"\nsnapshot_interval = "1s"\n') as nissad:
            senders = [TcpSender(name, nissad.tcp_port, seed) for seed, name in enumerate(names)]
            for sender in senders:
                sender.start()
            time.sleep(1)
            backups = []
            for _ in range(8):
                before = {sender.service: sender.bounds()[0] for sender in senders}
                made = backed_up(nissad)
                after = {sender.service: sender.bounds()[1] for sender in senders}
                backups.append((made, before, after))
                check_totals(nissad, senders)
                time.sleep(0.3)
            original = state_id(nissad)
            metrics = nissad.metrics()
            self.assertEqual(total(metrics, "nissa_journal_backups_total", result="done"), 8)
            self.assertEqual(metrics["nissa_journal_backup_lsn"], backups[-1][0]["lsn"])
            self.assertLess(abs(metrics["nissa_journal_backup_time_seconds"] - time.time()), 60)
            nissad.kill()
            ids = {original}
            for made, before, after in backups + backups[-1:]:
                self.assertEqual(int(made["state_id"], 16), original)
                self.assertEqual(sum(one.stat().st_size for one in pathlib.Path(made["directory"]).iterdir()), made["bytes"])
                ids.add(self.check_restore(made, before, after, slos))
            self.assertEqual(len(ids), len(backups) + 2, "each restore is a state of its own")
            nissad.start()
            self.assertEqual(state_id(nissad), original)
            check_alive(senders)
            settle(senders)
            check_totals(nissad, senders)
            check_books(nissad)
            nissad.kill()
            self.assertGreater(check_buckets(nissad, senders), 0)
            self.assertTrue(all(sender.exact() for sender in senders))
            self.assertEqual({pathlib.Path(made["directory"]) for made, _, _ in backups}, set(nissad.backups.iterdir()))

    def check_restore(self, made, before, after, slos):
        copy = restored(made["directory"], slos)
        shown = inspected(copy)
        self.assertEqual((shown["backup"], shown["state_id"], shown["lsn"]), (True, made["state_id"], made["lsn"]))
        self.assertEqual(shown["state_hash"], inspected(copy)["state_hash"])
        verified = subprocess.run([PROGRAMS / "nissad", "verify", copy.folder / "state"], text=True, capture_output=True)
        self.assertEqual(verified.returncode, 0, verified.stdout)
        self.assertIn(f"state {made['state_id']}, ", verified.stdout)
        self.assertIn("ok: it is a backup that was never started", verified.stdout)
        with copy:
            self.assertIn("a backup is restored", copy.log_text())
            self.assertIn(f"copy_of={made['state_id']}", copy.log_text())
            self.assertIn(f"lsn={made['lsn']} ", copy.log_text())
            counted = {name: lifetime(copy, name) for name in before}
            self.assertEqual(counted, {slo["name"]: slo["lifetime"]["total"] for slo in shown["slos"]})
            for name, number in counted.items():
                self.assertLessEqual(before[name], number, f"{name}: acknowledged before the backup, and not in it")
                self.assertLessEqual(number, after[name], f"{name}: in the backup, and never sent")
                self.assertEqual(len(copy.slo(name)["windows"]), 8)
            agent = Agent(copy.tcp_port).connect()
            self.assertEqual(agent.ask(agent.batch([event(service="one")] * 5)).status, pb.Ack.COUNTED)
            agent.close()
            own = state_id(copy)
            check_books(copy)
            copy.kill()
            self.assertEqual((inspected(copy)["backup"], int(inspected(copy)["state_id"], 16)), (False, own))
            copy.start()
            self.assertEqual(copy.log_text().count("a backup is restored"), 1)
            self.assertEqual(state_id(copy), own)
            self.assertEqual(lifetime(copy, "one"), counted["one"] + 5)
            check_books(copy)
            return own

    def test_agents_of_the_original_are_known_as_far_as_the_backup_goes(self):
        slos = availability("shop")
        with with_backups(slos) as nissad:
            early = Agent(nissad.tcp_port).connect()
            first, second = early.batch([event()] * 2), early.batch([event()] * 3)
            self.assertEqual(early.ask(first).status, pb.Ack.COUNTED)
            made = backed_up(nissad)
            self.assertEqual(early.ask(second).status, pb.Ack.COUNTED)
            late = Agent(nissad.tcp_port).connect()
            unknown = late.batch([event()] * 7)
            self.assertEqual(late.ask(unknown).status, pb.Ack.COUNTED)
            for agent in (early, late):
                agent.close()
            with restored(made["directory"], slos) as copy:
                for agent in (early, late):
                    agent.port = copy.tcp_port
                    agent.connect()
                self.assertNotEqual(early.hello.now.state_id, early.seen.state_id)
                self.assertEqual(early.ask(first).status, pb.Ack.DUPLICATE)
                self.assertEqual(early.ask(second).status, pb.Ack.COUNTED)
                refused = late.ask(unknown)
                self.assertEqual((refused.status, refused.reason), (pb.Ack.REFUSED, pb.UNKNOWN_EPOCH))
                self.assertEqual(lifetime(copy, "shop"), 5)
                check_books(copy)
                for agent in (early, late):
                    agent.close()
            self.assertEqual(lifetime(nissad, "shop"), 12)
            check_books(nissad)

    def test_the_documents_lines_restore_it(self):
        text = (ROOT / "docs/operations.md").read_text()
        lines = re.search(r"### To restore one\n\n```\n(.*?)```", text, re.S).group(1)
        before, after_stop = lines.split("systemctl stop nissad\n")
        with with_backups(availability("shop")) as nissad:
            agent = Agent(nissad.tcp_port).connect()
            agent.ask(agent.batch([event()] * 3))
            made = backed_up(nissad)
            agent.ask(agent.batch([event()] * 4))
            agent.close()
            check_books(nissad)
            work, start = after_stop.split("systemctl start nissad")
            self.assertIn("a backup is restored", start)
            for names, script in ((False, before), (True, work)):
                if names:
                    self.assertEqual(nissad.stop(), 0)
                script = re.sub(r"/backups/[\w-]+", made["directory"], script.replace("/var/lib/nissa", f"{nissad.folder}/state"))
                done = subprocess.run(["sh", "-e", "-c", script.replace("nissad verify", f"{PROGRAMS}/nissad verify")],
                                      text=True, capture_output=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            nissad.start()
            self.assertIn("a backup is restored", nissad.log_text())
            self.assertEqual(lifetime(nissad, "shop"), 3)
            check_books(nissad)

    def test_no_backup_is_made_without_a_folder_for_it_and_the_server_goes_on(self):
        slos = availability("shop")
        cases = (("", 409, "no_backup_directory", "set backup_directory in [journal]"),
                 ('backup_directory = "{folder}/no/mount"', 500, "backup_failed", "/no/mount cannot be made"),
                 ('backup_directory = "{folder}/log"', 500, "backup_failed", "Not a directory"))
        for more, status, code, words in cases:
            with self.subTest(code=code, words=words):
                nissad = Nissad(slos)
                nissad.configure(slos, "[journal]\n" + more.format(folder=nissad.folder))
                with nissad:
                    self.check_refusal(nissad, status, code, words)
                    self.assertFalse(list(nissad.folder.glob("**/*.partial")))

    def check_refusal(self, nissad, status, code, words):
        answered, body = ask_for_backup(nissad)
        self.assertEqual((answered, body["error"]["code"]), (status, code), body)
        self.assertIn(words, body["error"]["message"] + " " + body["error"]["hint"])
        failed = total(nissad.metrics(), "nissa_journal_backups_total", result="failed")
        self.assertEqual(failed, 0 if status == 409 else 1)
        agent = Agent(nissad.tcp_port).connect()
        self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
        agent.close()
        check_books(nissad)

    @unittest.skipIf(subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode, "takes root")
    def test_a_disk_that_is_full_is_refused_before_and_one_that_fills_costs_the_half_of_it(self):
        slos = availability("shop")
        # The second has two entries: the folder of the backup and its database, and no room for ANCHOR.
        for options, min_free, status, code, words in (("size=8m", "16 MiB", 503, "no_room", "min_free leaves 16 MiB"),
                                                       ("size=8m,nr_inodes=3", "0 B", 500, "backup_failed", "backups/")):
            with self.subTest(code=code):
                nissad = with_backups(slos, f'min_free = "{min_free}"')
                nissad.backups.mkdir()
                nissad.under = ("unshare", "--mount", "sh", "-c",
                                f'mount -t tmpfs -o {options} none {nissad.backups} && exec "$@"', "sh")
                with nissad:
                    self.check_refusal(nissad, status, code, words)
                    inside = f"/proc/{nissad.process.pid}/root{nissad.backups}"
                    self.assertEqual(list(pathlib.Path(inside).iterdir()), [])

    def held_backup(self, nissad, asking):
        """A backup whose thread stands still, as if its disk did, when checkpoints wait for it."""
        with Held(nissad.process) as journal:  # so that it cannot be made meanwhile
            asking.start()
            self.assertTrue(until(lambda: thread_waits(nissad, "nissa-backup")))
            held = Held(nissad.process, "nissa-backup")
            journal.let_go()
        return held

    def test_a_disk_that_hangs_keeps_nobody_waiting_but_who_asked_for_the_backup(self):
        slos = availability("one")
        with with_backups(slos, 'checkpoint_bytes = "1 MiB"\n') as nissad:
            answers = []
            with self.held_backup(nissad, threading.Thread(target=lambda: answers.append(ask_for_backup(nissad)))) as held:
                sender = TcpSender("one", nissad.tcp_port, 1)
                sender.start()
                wal = "nissa_journal_bytes{file=\"wal\"}"
                self.assertTrue(until(lambda: nissad.metrics()[wal] > 2 << 20, 60), "checkpoints wait")
                self.assertEqual(answers, [])
                self.assertEqual(ask_for_backup(nissad)[1]["error"]["code"], "backup_under_way")
                self.assertTrue(until(lambda: nissad.metrics()[wal] < 2 << 20, 120), "checkpoints go on")
                held.let_go()
                self.assertTrue(until(lambda: answers))
            status, body = answers[0]
            self.assertEqual((status, body["error"]["code"]), (503, "overtaken"))
            self.assertEqual(list(nissad.backups.iterdir()), [])
            backed_up(nissad)
            settle([sender])
            check_totals(nissad, [sender])
            check_books(nissad)

    def test_a_disk_that_hangs_does_not_keep_the_server_from_its_end(self):
        with with_backups(availability("shop")) as nissad:
            answers = []
            asking = threading.Thread(target=lambda: answers.append(ask_for_backup(nissad)))
            with self.held_backup(nissad, asking) as held:
                agent = Agent(nissad.tcp_port).connect()
                self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
                agent.close()
                check_books(nissad)
                nissad.process.terminate()
                self.assertTrue(until(lambda: answers))
                self.assertEqual((answers[0][0], answers[0][1]["error"]["code"]), (503, "stopping"))
                held.await_end()
            self.assertEqual(nissad.process.wait(30), 0)
            self.assertIn("the disk of backup_directory does not answer: leaving without the backup", nissad.log_text())


if __name__ == "__main__":
    unittest.main()
