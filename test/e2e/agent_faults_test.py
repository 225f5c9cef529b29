#!/usr/bin/python3
"""What nissa-send tells when it, the server or the server's state is lost under it, and that its report adds up; both
killed again and again. The same case by case, without a server: test/client/stream_told_test.cpp and
test/tools/follow_told_test.cpp. The sentences are those of docs/protocol.md, "What you are told"."""
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.documents import section, tables  # noqa: E402
from support.nissad import PROGRAMS, ROOT, SHOP_AVAILABILITY, Nissad, check_books  # noqa: E402
from support.raw_http import until  # noqa: E402

SEED = int(os.environ.get("NISSA_SEED", random.randrange(1 << 32)))
OTHER_STATE = (
    "nissa-send: the server has another state than before: its state directory was replaced or restored, or it was "
    "started with --accept-loss. What the old state counted may be missing in the new one; what was sent and not "
    "answered before may be told as uncertain\n")
UNCERTAIN = (
    r"(\d+) events? uncertain \(counted once or not at all\): they were first sent to another state of the server: "
    r"its state directory was replaced or restored \(unknown_epoch\)\n")
NAMES = ("lines", "bad", "acknowledged", "not_taken", "refused", "uncertain", "unsent", "resent", "lost")


def numbers_of(summary):
    told = dict(zip(NAMES, map(int, re.findall(r"\d+", summary))))
    for name, pattern in (("kept", r"(\d+) events? kept"), ("resumed", r"(\d+) events? of an earlier start")):
        found = re.search(pattern, summary)
        told[name] = int(found.group(1)) if found else 0
    return told


class AgentFaults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nissa-faults-")
        self.addCleanup(self.folder.cleanup)
        self.log = pathlib.Path(self.folder.name) / "app.log"
        self.log.touch()
        self.written = 0
        self.said = open(self.folder.name + "/said", "w+")
        self.addCleanup(self.said.close)

    def write(self, count):
        with open(self.log, "a") as file:
            file.write('{"operation": "GET /"}\n' * count)
        self.written += count

    def follow(self, nissad, *options):
        self.said.seek(0)
        self.said.truncate()
        return subprocess.Popen(
            [PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{nissad.tcp_port}", "--service", "shop", "--follow",
             self.log, "--state", self.folder.name + "/state", "--batch-age-ms", "5", *options],
            stdout=subprocess.PIPE, stderr=self.said, text=True)

    def text(self):
        return pathlib.Path(self.said.name).read_text()

    def finish(self, sender, within=90):
        sender.send_signal(signal.SIGTERM)
        summary, _ = sender.communicate(timeout=within)
        told = numbers_of(summary)
        self.assertEqual(told["lines"] + told["resumed"],
                         sum(told[name] for name in ("bad", "acknowledged", "refused", "uncertain", "unsent", "kept")),
                         "the report adds up: " + summary)
        return sender.returncode, told, self.text()

    def total(self, nissad):
        return nissad.slo("shop-availability")["lifetime"]["total"]

    def until_counted(self, nissad, lines, within=60):
        self.assertTrue(until(lambda: self.total(nissad) >= lines, within=within), self.text())
        time.sleep(0.3)  # in which too many would come
        self.assertEqual(self.total(nissad), lines, f"seed {SEED}\n" + self.text())

    def replace_state(self, nissad):
        nissad.kill()
        (nissad.folder / "state").rename(nissad.folder / f"state-before-{time.time_ns()}")

    def test_a_state_replaced_between_two_starts_is_told_and_each_batch_in_doubt_is_named(self):
        with Nissad(SHOP_AVAILABILITY) as nissad:
            self.write(100)
            sender = self.follow(nissad, "--drain", "1")
            self.until_counted(nissad, 100)
            nissad.process.send_signal(signal.SIGSTOP)  # what is sent now is not answered
            self.write(50)
            time.sleep(1)
            code, told, _ = self.finish(sender)
            self.assertEqual((code, told["kept"]), (0, 50))
            self.replace_state(nissad)
            nissad.start()
            sender = self.follow(nissad)
            self.write(7)
            self.until_counted(nissad, 7)
            code, told, said = self.finish(sender)
            self.assertEqual(code, 3, said)
            self.assertIn("of an earlier start", said)
            self.assertEqual(said.count(OTHER_STATE), 1)
            named = re.findall(rf"nissa-send: {re.escape(str(self.log))}, bytes \d+ to \d+: " + UNCERTAIN, said)
            self.assertEqual(sum(map(int, named)), 50, said)
            self.assertEqual((told["uncertain"], told["acknowledged"], told["resumed"]), (50, 7, 50))
            check_books(nissad)

    def test_a_state_replaced_under_a_running_follower_and_a_reader_of_standard_input_is_told_by_both(self):
        with Nissad(SHOP_AVAILABILITY) as nissad:
            follower = self.follow(nissad)
            reader_said = open(self.folder.name + "/reader-said", "w+")
            self.addCleanup(reader_said.close)
            reader = subprocess.Popen(
                [PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{nissad.tcp_port}", "--service", "shop",
                 "--batch-age-ms", "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=reader_said, text=True)

            def both(count):
                self.write(count)
                reader.stdin.write('{"operation": "GET /"}\n' * count)
                reader.stdin.flush()
            both(20)
            self.until_counted(nissad, 40)
            nissad.process.send_signal(signal.SIGSTOP)
            both(30)
            time.sleep(1)
            self.replace_state(nissad)
            nissad.start()
            both(5)
            self.until_counted(nissad, 10)
            code, told, said = self.finish(follower)
            self.assertEqual((code, told["uncertain"], told["acknowledged"]), (3, 30, 25), said)
            self.assertEqual(sum(map(int, re.findall(UNCERTAIN, said))), 30, said)
            summary, _ = reader.communicate(timeout=90)
            reader_said.seek(0)
            said_by_reader = reader_said.read()
            told = numbers_of(summary)
            told = (reader.returncode, told["uncertain"], told["acknowledged"], told["lines"])
            self.assertEqual(told, (3, 30, 25, 55))
            self.assertEqual(sum(map(int, re.findall("nissa-send: " + UNCERTAIN, said_by_reader))), 30, said_by_reader)
            for one in (said, said_by_reader):
                self.assertEqual(one.count(OTHER_STATE), 1, one)
                self.assertIn("; trying again\n", one)
                self.assertIn("nissa-send: connected again\n", one)
            self.assertTrue(said_by_reader.startswith(
                "nissa-send: reads standard input: what it has read and the server has not acknowledged is lost if "
                "this process crashes (--follow FILE is not)\n"), said_by_reader)
            check_books(nissad)

    def test_a_server_that_is_restarted_is_said_to_be_and_nothing_is_lost(self):
        with Nissad(SHOP_AVAILABILITY) as nissad:
            self.write(10)
            sender = self.follow(nissad)
            self.until_counted(nissad, 10)
            self.assertEqual(nissad.stop(), 0)
            self.write(10)
            nissad.start()
            self.until_counted(nissad, 20)
            code, told, said = self.finish(sender)
            self.assertEqual((code, told["uncertain"], told["acknowledged"]), (0, 0, 20), said)
            self.assertEqual(said, "nissa-send: the server ended the connection: it is being stopped or restarted "
                                   "(shutting_down); trying again\nnissa-send: connected again\n")
            check_books(nissad)

    def test_both_killed_again_and_again_every_line_is_counted_exactly_once_and_nothing_is_told_lost(self):
        chance = random.Random(SEED)
        with Nissad(SHOP_AVAILABILITY) as nissad:
            sender = self.follow(nissad)
            for _ in range(10):
                for _ in range(chance.randrange(1, 40)):
                    self.write(chance.randrange(1, 300))
                    time.sleep(chance.random() * 0.01)
                server_first, apart = chance.random() < 0.5, chance.random() * 0.05
                if server_first:
                    nissad.kill()
                    time.sleep(apart)
                sender.kill()
                sender.communicate()
                self.assertNotIn("uncertain", self.text(), f"seed {SEED}")
                if not server_first:
                    time.sleep(apart)
                    nissad.kill()
                if chance.random() < 0.5:  # it waits for the server
                    sender = self.follow(nissad)
                    time.sleep(apart)
                    nissad.start()
                else:
                    nissad.start()
                    sender = self.follow(nissad)
            self.until_counted(nissad, self.written)
            code, told, said = self.finish(sender)
            self.assertEqual((code, told["uncertain"], told["refused"]), (0, 0, 0), f"seed {SEED}\n" + said)
            check_books(nissad)


class ThePage(unittest.TestCase):
    """docs/protocol.md, "What you are told": its sentences are those of the programs, and none of these is left out."""

    def literals(self, *names):
        """The texts in the sources, those that stand beside each other joined."""
        found = []
        for name in names:
            source = re.sub(r"^\s*//.*$", "", (ROOT / "src" / name).read_text(), flags=re.M)
            for run in re.findall(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*', source):
                found.append("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', run)))
        return found

    def test_each_sentence_of_the_table_is_said_by_the_programs_and_each_of_explain_stands_in_it(self):
        page = section("protocol.md", "What you are told")
        told = [words for row in tables(page)[0][1:] for cell in row[1:]
                for words in re.findall(r"`([^`]+)`", cell) if " " in words]
        self.assertGreater(len(told), 20)
        tools = ("follow_books", "follow_source", "send_report", "send_run", "send_follow", "send_main",
                 "log_follower_files", "log_follower", "state_file")
        said = self.literals("client/explain.cpp", "client/connection.cpp", *(f"tools/{one}.cpp" for one in tools))
        for sentence in told:
            for part in re.split(r"…|\(\w+\)|: |; ", sentence):
                part = part.strip()
                self.assertTrue(any(part in one for one in said), f"no program says '{part}' of '{sentence}'")
        for one in self.literals("client/explain.cpp"):
            if len(one) > 20:
                self.assertIn(one.strip(" :;."), " ".join(page.split()), "is said, and does not stand on the page")


if __name__ == "__main__":
    unittest.main()
