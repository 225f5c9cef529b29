#!/usr/bin/python3
"""deploy/quickstart as a stranger runs it, with programs that are built already, on free ports, in a folder of its own."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.nissad import BUILD, ROOT, Pages, check_books, free_port  # noqa: E402


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nissa-quickstart-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.ports = [free_port() for _ in range(5)]
        self.mark = f"nissa-mark-{os.getpid()}-{time.monotonic_ns()}"
        self.environment = {**os.environ, "NISSA_DEMO_DIR": str(self.folder / "demo"), "NISSA_BUILD": str(BUILD),
                            "NISSA_DEMO_PORTS": " ".join(map(str, self.ports)), "NISSA_TEST_MARK": self.mark}

    def begin(self, *options):
        return subprocess.Popen([ROOT / "deploy/quickstart", *options], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment)

    def left_running(self):
        """Every process that inherited this test's mark, and every port that answers (nginx overwrites its mark)."""
        found = []
        for one in pathlib.Path("/proc").iterdir():
            try:
                if one.name.isdigit() and int(one.name) != os.getpid() and \
                        self.mark.encode() in (one / "environ").read_bytes():
                    found.append((one / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        for port in self.ports:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    found.append(f"port {port}")
        return found

    def assert_nothing_is_left(self, within=20):
        deadline = time.monotonic() + within
        while self.left_running() and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.left_running(), [])

    def test_a_budget_burns_and_across_kill_9_every_line_of_nginx_is_counted_once(self):
        quickstart = self.begin("--seconds", "28", "--kill")
        said, _ = quickstart.communicate(timeout=180)
        self.assertEqual(quickstart.returncode, 0, said)
        self.assertRegex(said, r"kill -9 \d+")
        self.assertIn("nissad is back", said)
        last = re.findall(r"checkout-availability +(\w+) +(\S+) +(\S+)", said)[-1]
        self.assertIn(last[0], ("burning", "exhausted"), said)
        self.assertGreater(float(last[1]), 1, said)
        healthy = re.findall(r"payments-availability +(\w+)", said)[-1]
        self.assertEqual(healthy, "healthy", said)
        books = re.search(r"shop +(\d+) in nginx's access log, (\d+) read by nissa-send, (\d+) acknowledged, "
                          r"(\d+) counted: equal", said)
        self.assertIsNotNone(books, said)
        self.assertGreater(int(books.group(1)), 100)
        self.assertEqual(set(books.groups()), {str((self.folder / "demo/nginx/access.log").read_text().count("\n"))})
        self.assertRegex(said, r"payments +(\d+) read by nissa-send, \1 acknowledged, \1 counted: equal")
        self.assert_nothing_is_left()

    def test_a_signal_stops_everything_in_order_and_a_kill_leaves_nothing_either(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(how=how.name):
                quickstart = self.begin()
                lines = []
                for line in quickstart.stdout:
                    lines.append(line)
                    if "Ctrl-C stops everything" in line:
                        break
                self.assertGreaterEqual(len(self.left_running()), 6, "".join(lines))
                time.sleep(0.5)
                self.try_what_it_prints("".join(lines))
                check_books(Pages(self.ports[2]))
                quickstart.send_signal(how)
                rest, _ = quickstart.communicate(timeout=60)
                if how != signal.SIGKILL:
                    self.assertEqual(quickstart.returncode, 0, rest)
                    self.assertIn("counted: equal", rest)
                    self.assertNotIn("NOT EQUAL", rest)
                self.assert_nothing_is_left()

    def try_what_it_prints(self, said):
        """Each curl line, as a shell takes it; an event of the reader's own must not trouble the books of the demo."""
        lines = re.findall(r"^ +(curl (?:[^\n]*\\\n)*[^\n]*)$", said, re.M)
        self.assertEqual(len(lines), 4, said)
        for line in lines:
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stderr), (0, ""), line)
            self.assertNotIn('"error"', done.stdout, line)
        self.assertIn('"status":"COUNTED"', done.stdout)

    def test_a_port_that_is_taken_is_named(self):
        with socket.create_server(("127.0.0.1", self.ports[3])):
            quickstart = self.begin("--seconds", "5")
            said, _ = quickstart.communicate(timeout=60)
        self.assertEqual(quickstart.returncode, 1, said)
        self.assertIn(f"port {self.ports[3]} (nginx) cannot be had", said)
        self.assert_nothing_is_left()

    def test_what_it_does_not_know_is_refused(self):
        for options in (["--second", "5"], ["--seconds"], ["--seconds", "soon"]):
            quickstart = self.begin(*options)
            said, _ = quickstart.communicate(timeout=60)
            self.assertEqual(quickstart.returncode, 2, said)


if __name__ == "__main__":
    unittest.main()
