#!/usr/bin/python3
"""What whoever operates Nissa does with it: starts it twice, stops it under load, inspects its state, scrapes it."""
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import AgentTest, event, pb  # noqa: E402
from support.nissad import PROGRAMS, Nissad, check_books, free_port, total  # noqa: E402
from support.prometheus import Prometheus  # noqa: E402


def inspected(nissad, *options):
    done = subprocess.run([PROGRAMS / "nissad", "inspect", nissad.folder / "state", *options], text=True,
                          capture_output=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"inspect ended with {done.returncode}: {done.stderr}")
    return done.stdout


def shape_with_load(*options, slos="2", series="200", batch="20", connections="4"):
    """The SLOs of a shape of nissa-load's, and what starts that load at a server."""
    shape = ["--services", "10", "--slos", slos, "--series", series, "--batch", batch]
    made = subprocess.run([PROGRAMS / "nissa-load", "--print-config", *shape], check=True, capture_output=True)

    def start(nissad, out):
        return subprocess.Popen(
            [PROGRAMS / "nissa-load", "--server", f"127.0.0.1:{nissad.tcp_port}", "--admin",
             f"127.0.0.1:{nissad.admin_port}", *shape, "--connections", connections, "--classes",
             "low:1,normal:1,high:1,critical:1", *options], stdout=out)

    return made.stdout.decode(), start


class Operation(AgentTest):
    def test_a_second_server_on_the_same_state_is_refused_and_names_the_first(self):
        with Nissad() as nissad:
            text = nissad.config.read_text()
            for port in (nissad.tcp_port, nissad.admin_port):
                text = text.replace(str(port), str(free_port()))
            other = nissad.folder / "other.toml"
            other.write_text(text)
            second = subprocess.run([PROGRAMS / "nissad", "--config", other], text=True, capture_output=True, timeout=20)
            self.assertEqual(second.returncode, 1, second.stderr)
            self.assertIn(str(nissad.process.pid), second.stderr)
            agent = self.agent(nissad)
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            check_books(nissad)

    def test_a_log_that_nobody_reads_stops_nothing(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 1000)
        os.set_blocking(writer, True)
        nissad = Nissad()
        nissad.log.close()
        nissad.log = os.fdopen(writer, "wb")
        with nissad:
            agent = self.agent(nissad)
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            os.read(reader, 1 << 20)  # from here on there is room again
            urllib.request.urlopen(urllib.request.Request(
                f"http://127.0.0.1:{nissad.admin_port}/api/v2/log", b'{"level": "debug"}', {"Content-Type": "application/json"}))
            line = os.read(reader, 1 << 20).decode()
            self.assertRegex(line, r'msg="the log level is changed".* suppressed=[1-9]')
            check_books(nissad)
            self.assertEqual(nissad.stop(), 0)
        os.close(reader)

    def test_a_port_that_is_taken_is_named_and_the_state_is_free_again(self):
        with Nissad() as nissad:
            other = nissad.folder / "other.toml"
            other.write_text(nissad.config.read_text().replace("/state", "/other-state"))
            for _ in range(2):
                second = subprocess.run([PROGRAMS / "nissad", "--config", other], text=True, capture_output=True, timeout=20)
                self.assertEqual(second.returncode, 1, second.stderr)
                self.assertRegex(second.stderr, rf"{nissad.tcp_port}|{nissad.admin_port}")
            check_books(nissad)

    def test_sigterm_under_load_ends_with_zero_and_what_was_acknowledged_is_counted(self):
        slos, start_load = shape_with_load("--rate", "20000", "--warmup", "0", "--seconds", "3")
        with Nissad(slos) as nissad, tempfile.TemporaryFile() as out:
            load = start_load(nissad, out)
            deadline = time.monotonic() + 20
            while total(nissad.metrics(), "nissa_ingest_counted_batch_events_total") < 5000:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            self.assertEqual(nissad.stop(), 0, nissad.log_text()[-2000:])
            nissad.start()
            code = load.wait(90)
            out.seek(0)
            report = out.read().decode()
            self.assertEqual(code, 0, report)
            self.assertIn("books       agree: counted = sent, and so do the SLO totals", report)
            check_books(nissad)

    def test_inspect_shows_the_same_numbers_of_a_live_and_of_a_stopped_state_and_changes_nothing(self):
        with Nissad() as nissad:
            agent = self.agent(nissad)
            agent.ask(agent.batch([event()] * 4 + [event(outcome=1)] * 3))
            for stopped in (False, True):
                if stopped:
                    self.assertEqual(nissad.stop(), 0)
                    files = {one.name: one.read_bytes() for one in (nissad.folder / "state").iterdir()}
                text = inspected(nissad)
                self.assertRegex(text, r"shop-availability +4 good of 7\n")
                self.assertRegex(text, r"1 epochs, 2 SLOs")
                lines = re.findall(r"shop-availability .*\n((?:    bucket .*\n)+)", text)[0].splitlines()
                shown = [tuple(map(int, re.fullmatch(r"    bucket (\d+) from \S+Z +(\d+) good of (\d+)", line).groups()))
                         for line in lines]
                found = json.loads(inspected(nissad, "--json"))
                slos = {one["name"]: one for one in found["slos"]}
                self.assertEqual(slos["shop-availability"]["lifetime"], {"good": 4, "total": 7})
                self.assertEqual(slos["shop-latency"]["lifetime"], {"good": 4, "total": 4})
                buckets = slos["shop-availability"]["buckets"]
                self.assertEqual((sum(one["good"] for one in buckets), sum(one["total"] for one in buckets)), (4, 7))
                self.assertEqual(shown, [(one["bucket"], one["good"], one["total"]) for one in buckets])
            self.assertEqual(files, {one.name: one.read_bytes() for one in (nissad.folder / "state").iterdir()})
            nissad.start()
            check_books(nissad)

    def test_inspect_of_a_state_that_is_being_written_finds_at_least_what_was_acknowledged(self):
        with Nissad() as nissad:
            agent = self.agent(nissad)
            acknowledged, over = [0], threading.Event()

            def write():
                while not over.is_set():
                    agent.ask(agent.batch([event()] * 3))
                    acknowledged[0] += 3

            writer = threading.Thread(target=write)
            writer.start()
            try:
                for _ in range(8):
                    before = acknowledged[0]
                    found = json.loads(inspected(nissad, "--json"))
                    after = acknowledged[0] + 3
                    counted = next(one for one in found["slos"] if one["name"] == "shop-availability")["lifetime"]["total"]
                    self.assertTrue(before <= counted <= after, (before, counted, after))
            finally:
                over.set()
                writer.join()
            check_books(nissad)

    def test_inspect_never_finds_damage_in_a_state_that_is_written_as_fast_as_it_goes(self):
        # Large records: checkpoints come often, and each moves the log into the database, perhaps between two copies.
        slos, start_load = shape_with_load("--disorder", "30days", "--warmup", "0", "--seconds", "300", slos="8",
                                           series="2000", batch="50", connections="16")
        with Nissad(slos) as nissad, tempfile.TemporaryFile() as out:
            load = start_load(nissad, out)
            try:
                before = 0
                for _ in range(20):
                    found = json.loads(inspected(nissad, "--json"))
                    self.assertIsNone(load.poll(), "the load ended too early")
                    counted = sum(one["lifetime"]["total"] for one in found["slos"])
                    self.assertGreaterEqual(counted, before)
                    before = counted
                self.assertGreater(before, 0)
            finally:
                load.terminate()
                load.wait(30)
            check_books(nissad)

    def test_inspect_names_the_damage_the_file_and_the_folder_that_was_given(self):
        with Nissad() as nissad:
            agent = self.agent(nissad)
            agent.ask(agent.batch([event()]))
            check_books(nissad)
            nissad.kill()
            state = nissad.folder / "state"
            log = state / "state-1.db-wal"
            log.rename(nissad.folder / "log-of-the-database")
            done = subprocess.run([PROGRAMS / "nissad", "inspect", state], text=True, capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (3, ""), done.stderr)
            self.assertIn(f"{state}/state-1.db ", done.stderr)
            self.assertNotIn("nissa-inspect-", done.stderr)
            (nissad.folder / "log-of-the-database").rename(log)
            done = subprocess.run([PROGRAMS / "nissad", "inspect", state], text=True, capture_output=True, timeout=60,
                                  env={**os.environ, "TMPDIR": str(nissad.folder / "none")})
            self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
            self.assertIn("TMPDIR", done.stderr)
            nissad.start()
            check_books(nissad)

    def test_where_descriptors_are_few_the_pages_still_answer_with_more_agents_than_fit(self):
        for limit, taken, warned in (("64:64", 32, True), ("64:128", 80, False)):
            more = '[ingest]\nhello_timeout = "60s"\n' + ("" if warned else "max_connections = 90\n")
            with self.subTest(limit=limit), Nissad(more=more, under=("prlimit", f"--nofile={limit}")) as nissad:
                agents = [socket.create_connection(("127.0.0.1", nissad.tcp_port), timeout=20) for _ in range(80)]
                for one in agents:
                    self.addCleanup(one.close)
                deadline = time.monotonic() + 20  # before the first is closed for want of a Hello
                while nissad.metrics()["nissa_ingest_connections"] < taken and time.monotonic() < deadline:
                    time.sleep(0.02)
                for _ in range(5):
                    self.assertEqual(nissad.get("/healthz"), "ok\n")
                    self.assertEqual(nissad.metrics()["nissa_ingest_connections"], taken)
                warning = "max_connections is 10000, but the limit of 64 file descriptors bears 32 connections"
                self.assertEqual(nissad.log_text().count("max_connections"), int(warned), nissad.log_text())
                self.assertEqual(warning in nissad.log_text(), warned)
                for one in agents:
                    one.close()
                agent = self.agent(nissad)
                self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
                check_books(nissad)

    def test_inspect_says_what_is_no_state(self):
        with tempfile.TemporaryDirectory() as empty:
            for folder in (empty, empty + "/none"):
                done = subprocess.run([PROGRAMS / "nissad", "inspect", folder], text=True, capture_output=True)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(folder, done.stderr)
            self.assertEqual(list(pathlib.Path(empty).iterdir()), [])

    def test_inspect_and_verify_copy_nothing_that_is_no_part_of_a_state(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(folder + "/core", "wb") as sparse:
                sparse.truncate(16 << 20)
            for command in ("inspect", "verify"):
                done = subprocess.run(["prlimit", "--fsize=1048576", PROGRAMS / "nissad", command, folder], text=True,
                                      capture_output=True)
                self.assertEqual(done.returncode, 1)
                self.assertIn("holds no state", done.stderr)

    def test_inspect_and_verify_that_cannot_say_or_copy_it_end_with_1_and_the_reason(self):
        with Nissad() as nissad:
            self.assertEqual(nissad.stop(), 0)
            state = nissad.folder / "state"
            for command in (["inspect", state], ["inspect", state, "--json"], ["verify", state]):
                with open("/dev/full", "w") as full:
                    done = subprocess.run([PROGRAMS / "nissad", *command], text=True, stdout=full, stderr=subprocess.PIPE)
                self.assertEqual((done.returncode, done.stderr), (1, "nissad: standard output cannot be written\n"))
                done = subprocess.run([PROGRAMS / "nissad", *command], text=True, capture_output=True,
                                      env={**os.environ, "TMPDIR": "/nonexistent"})
                self.assertEqual(done.returncode, 1)
                self.assertIn("TMPDIR names no directory", done.stderr)
                done = subprocess.run(["prlimit", "--fsize=4608", PROGRAMS / "nissad", *command], text=True,
                                      capture_output=True)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, r"state-1.db.* cannot be copied to .*bytes are free there \(TMPDIR")

    def test_prometheus_scrapes_it_and_answers_the_same_numbers(self):
        with Nissad() as nissad, Prometheus(nissad) as prometheus:
            agent = self.agent(nissad)
            agent.ask(agent.batch([event()] * 995 + [event(outcome=1)] * 5))
            prometheus.await_value("nissa_slo_events_total", ("shop-availability", "good", ""), 995)
            prometheus.await_value("nissa_slo_events_total", ("shop-availability", "bad", ""), 5)
            prometheus.await_value('up{job="nissa"}', ("", "", ""), 1)
            slo = nissad.slo("shop-availability")
            remaining = prometheus.ask("nissa_slo_error_budget_remaining_ratio")[("shop-availability", "", "")]
            self.assertAlmostEqual(remaining, slo["budget"]["remaining"])
            burns = prometheus.ask('nissa_slo_burn_rate{slo="shop-availability"}')
            self.assertTrue(burns)
            for (_, _, window), value in burns.items():
                self.assertAlmostEqual(value, nissad.window("shop-availability", window)["burn_rate"])
            objectives = prometheus.ask("nissa_slo_objective_ratio")
            self.assertEqual({key[0]: value for key, value in objectives.items()},
                             {"shop-availability": 0.999, "shop-latency": 0.99})
            check_books(nissad)

    def test_what_is_not_there_is_answered_in_json_with_a_hint(self):
        with Nissad() as nissad:
            for path, code in (("/nothing", 404), ("/api/v2/slos/none", 404), ("/api/v2/slos/" + "x" * 3000, 404),
                               ("/api/v2/slos/%00%ff", 404)):
                with self.subTest(path=path[:40]), self.assertRaises(urllib.error.HTTPError) as caught:
                    nissad.get(path)
                answer = caught.exception
                self.assertEqual((answer.code, answer.headers.get_content_type()), (code, "application/json"))
                error = json.load(answer)["error"]
                self.assertTrue(error["code"] and error["message"] and error["hint"], error)
            request = urllib.request.Request(f"http://127.0.0.1:{nissad.admin_port}/api/v2/slos", data=b"{}", method="POST")
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=10)
            self.assertEqual(caught.exception.code, 405)
            self.assertIn("GET", caught.exception.headers.get("Allow", ""))
            caught.exception.close()
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
