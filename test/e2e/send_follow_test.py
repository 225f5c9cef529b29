#!/usr/bin/python3
"""nissa-send following a growing file through rotations, kill -9 of itself at random moments and of the server; and what
its users see of it: exit codes, the terminal, the state file."""
import os
import pathlib
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.nissad import PROGRAMS, SHOP_AVAILABILITY, Nissad, check_books, free_port  # noqa: E402
from support.raw_http import until  # noqa: E402

SLOS = SHOP_AVAILABILITY
SEED = int(os.environ.get("NISSA_SEED", random.randrange(1 << 32)))


def access_line(number):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    return f'192.0.2.7 - - [{stamp}] "GET /orders/{number} HTTP/1.1" 200 512 "-" "curl/7.88" rt=0.012\n'


class Log:
    """Written as nginx does, rotated as logrotate does."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "access.log"
        self.file = open(self.path, "a")
        self.lines = 0

    def write(self, count):
        self.file.write("".join(access_line(self.lines + n) for n in range(count)))
        self.file.flush()
        self.lines += count

    def rename(self):
        for number in range(50, 0, -1):
            old = pathlib.Path(f"{self.path}.{number}")
            if old.exists():
                old.rename(f"{self.path}.{number + 1}")
        self.path.rename(f"{self.path}.1")

    def reopen(self):
        self.file.close()
        self.file = open(self.path, "a")


def read_terminal(ours, shown):
    """Until its other side is closed, adds what is written there to `shown`: nobody writes on while 4 KiB are unread."""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # so Linux says that it is closed


class SendFollow(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nissa-send-")
        self.addCleanup(self.folder.cleanup)
        self.log = Log(self.folder.name)
        self.addCleanup(lambda: self.log.file.close())
        self.state = self.folder.name + "/state"
        self.said = open(self.folder.name + "/said", "w+")
        self.addCleanup(self.said.close)

    def start(self, port, *options, **how):
        how = {"stdout": subprocess.PIPE, "stderr": self.said, **how}
        return subprocess.Popen(
            [PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{port}", "--service", "shop", "--follow", self.log.path,
             "--state", self.state, "--batch-age-ms", "5", *options], text=True, **how)

    def finish(self, sender, within=60):
        sender.send_signal(signal.SIGTERM)
        summary, _ = sender.communicate(timeout=within)
        self.said.seek(0)
        return sender.returncode, summary, self.said.read()

    def until_counted(self, nissad, within=40):
        deadline = time.monotonic() + within
        counted = lambda: nissad.window("shop-availability", "1d")["total"]  # noqa: E731
        while counted() < self.log.lines and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)  # in which too many would come
        self.said.seek(0)
        self.assertEqual(counted(), self.log.lines, f"seed {SEED}\n" + self.said.read())

    def test_killed_at_random_moments_through_rotations_every_line_is_counted_exactly_once(self):
        chance = random.Random(SEED)
        with Nissad(SLOS) as nissad:
            classes = ("low", "normal", "high", "critical")
            sender = self.start(nissad.tcp_port)
            for kill in range(25):
                for _ in range(chance.randrange(1, 30)):
                    self.log.write(chance.randrange(1, 400))
                    time.sleep(chance.random() * 0.01)
                if kill % 4 == 1:
                    self.log.rename()
                    self.log.write(50)  # late, into the old one
                    self.log.reopen()
                if kill == 12:
                    nissad.kill()
                    self.log.write(500)
                sender.kill()
                sender.communicate()
                if chance.random() < 0.3:
                    self.log.write(200)
                    self.log.rename()
                    self.log.reopen()
                    self.log.write(200)
                if kill == 12:
                    nissad.start()
                # What was kept under another class is sent in that one.
                sender = self.start(nissad.tcp_port, "--priority", chance.choice(classes))
            self.until_counted(nissad)
            code, summary, said = self.finish(sender)
            self.assertEqual(code, 0, said)
            self.assertIn("0 uncertain", summary)
            self.assertNotIn("uncertain", said)
            self.assertIn("are sent again", said)
            check_books(nissad)

    def test_what_is_not_acknowledged_at_the_end_is_kept_for_the_next_start(self):
        with Nissad(SLOS) as nissad:
            nissad.kill()
            self.log.write(3000)
            sender = self.start(nissad.tcp_port, "--drain", "1")
            said_file = pathlib.Path(self.said.name)
            self.assertTrue(until(lambda: "trying again" in said_file.read_text(), within=30))
            code, summary, said = self.finish(sender, within=30)  # without --drain it would be a minute
            self.assertEqual(code, 0, said)
            self.assertRegex(summary, r"; [1-9]\d* events? kept for the next start")
            nissad.start()
            sender = self.start(nissad.tcp_port)
            self.until_counted(nissad)
            self.assertEqual(self.finish(sender)[0], 0)
            check_books(nissad)

    def test_a_second_one_on_the_same_state_is_refused_and_so_is_a_state_of_another_file(self):
        with Nissad(SLOS) as nissad:
            self.log.write(10)
            sender = self.start(nissad.tcp_port)
            self.until_counted(nissad)
            second = self.start(nissad.tcp_port, stderr=subprocess.PIPE)
            _, said = second.communicate(timeout=20)
            self.assertEqual(second.returncode, 2)
            self.assertIn("in use by another nissa-send", said)
            self.assertEqual(self.finish(sender)[0], 0)
            other = subprocess.run([PROGRAMS / "nissa-send", "--follow", "/nowhere/else.log", "--state", self.state],
                                   capture_output=True, text=True, timeout=20)
            self.assertEqual(other.returncode, 2)
            self.assertIn("is of " + str(self.log.path), other.stderr)
            check_books(nissad)

    def test_a_slot_that_cannot_be_read_is_said_and_a_file_of_which_none_can_or_of_a_newer_version_is_refused(self):
        with Nissad(SLOS) as nissad:
            self.log.write(10)
            sender = self.start(nissad.tcp_port)
            self.until_counted(nissad)
            self.assertEqual(self.finish(sender)[0], 0)
            whole = pathlib.Path(self.state).read_bytes()

            def put(*places, what=b"damage"):
                with open(self.state, "r+b") as file:
                    file.write(whole)
                    for place in places:
                        file.seek(place)
                        file.write(what)

            for slot in (0, 65536):
                put(slot + 30)
                sender = self.start(nissad.tcp_port)
                words = f"one of the two slots of the state file {self.state} cannot be read. The other one is used"
                said_file = pathlib.Path(self.said.name)
                self.assertTrue(until(lambda: words in said_file.read_text()), said_file.read_text())
                self.assertEqual(self.finish(sender)[0], 0)
                self.said.truncate(0)
            self.until_counted(nissad)
            for damage, refusal in ((lambda: put(30, 65536 + 30), "is damaged"),
                                    (lambda: put(0, what=b"ISSEND-2"), "was written by a newer nissa-send")):
                damage()
                before = pathlib.Path(self.state).read_bytes()
                sender = self.start(nissad.tcp_port, stderr=subprocess.PIPE)
                _, said = sender.communicate(timeout=20)
                self.assertEqual(sender.returncode, 2, said)
                self.assertIn(refusal, said)
                self.assertEqual(pathlib.Path(self.state).read_bytes(), before)
            check_books(nissad)

    def test_an_access_log_without_a_service_is_refused_before_any_line_is_passed_over(self):
        self.log.write(3)
        done = subprocess.run([PROGRAMS / "nissa-send", "--server", "127.0.0.1:1", "--follow", self.log.path, "--state",
                               self.state], text=True, capture_output=True, timeout=10)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, f"nissa-send: {self.log.path} is an access log, whose lines name no service: "
                                      "--service NAME is missing\n")
        self.assertFalse(os.path.exists(self.state))

    def test_other_options_than_at_the_last_start_are_said(self):
        with Nissad(SLOS) as nissad:
            self.log.write(10)
            sender = self.start(nissad.tcp_port)
            self.until_counted(nissad)
            self.finish(sender)
            sender = self.start(nissad.tcp_port, "--label", "region=eu-1")
            self.log.write(10)
            self.until_counted(nissad)
            code, _, said = self.finish(sender)
            self.assertEqual(code, 0)
            self.assertIn("the options that make events of lines are others than at the last start", said)
            check_books(nissad)

    def test_exit_codes(self):
        def run(text, *options, stdout=subprocess.PIPE):
            return subprocess.run([PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{port}", *options], input=text, text=True,
                                  stdout=stdout, stderr=subprocess.PIPE, timeout=60)
        port = free_port()
        for wrong in (["--service", "x" * 257], ["--label", "a=" + "x" * 257], ["--label", "x"], ["--follow", "/f"],
                      ["--state", "/s"], ["--follow", "/f", "--state", "/s", "-"], ["--from", "middle"]):
            refused = run("", *wrong)
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertTrue(refused.stderr.startswith("nissa-send: -") or "expected one of" in refused.stderr, refused.stderr)
        self.assertEqual(run('{"service": "shop"}\n', "--drain", "0").returncode, 3)
        with Nissad(SLOS) as nissad:
            port = nissad.tcp_port
            self.assertEqual(run('{"service": "shop"}\n').returncode, 0)
            self.assertEqual(run('rubbish\n').returncode, 1)
            late = run('{"service": "shop", "time": 0}\n{"service": "shop", "time": "1970-01-01T00:00:00Z"}\n')
            self.assertEqual(late.returncode, 1)
            self.assertIn("; not taken: 2 too_old", late.stdout)
            twice = run('{"service": "shop", "service": "shop"}\n')
            self.assertEqual(twice.returncode, 1)
            self.assertIn('line 1: "service" comes twice', twice.stderr)
            with open("/dev/full", "w") as full:
                unwritten = run('{"service": "shop"}\n', stdout=full)
                self.assertEqual(unwritten.returncode, 4)
                self.assertIn("the summary is: 1 line,", unwritten.stderr)
                self.assertEqual(run('rubbish\n', stdout=full).returncode, 1)
            check_books(nissad)

    def test_a_terminal_sees_one_line_of_progress_and_a_pipe_sees_none(self):
        with Nissad(SLOS) as nissad:
            self.log.write(1000)
            ours, theirs = pty.openpty()
            shown = bytearray()
            reader = threading.Thread(target=read_terminal, args=(ours, shown))
            sender = self.start(nissad.tcp_port, stderr=theirs)
            os.close(theirs)
            reader.start()
            self.until_counted(nissad)
            self.assertTrue(until(lambda: b" 1000 events acknowledged, 0 in flight" in shown), shown)
            self.finish(sender)
            reader.join()
            os.close(ours)
            seen = shown.decode()
            self.assertRegex(seen, r"\r\x1b\[K1000 lines, 1000 events acknowledged, 0 in flight, \d+/s, 0 B behind")
            self.assertNotIn("\n", re.sub(r"nissa-send: .*\r\n", "", seen))
            sender = self.start(nissad.tcp_port)
            self.log.write(10)
            self.until_counted(nissad)  # and longer than two lines of progress are apart
            code, summary, said = self.finish(sender)
            self.assertEqual(code, 0, said)
            self.assertIn("10 events acknowledged", summary)
            self.assertNotIn("acknowledged", said)
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
