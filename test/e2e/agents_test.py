#!/usr/bin/python3
"""nissa-send and nissa-load as their users run them, against the real server."""
import array
import fcntl
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.documents import section, tables  # noqa: E402
from support.nissad import PROGRAMS, Nissad, check_books  # noqa: E402

SLOS = """
[[slo]]
name = "shop-availability"
service = "shop"
sli = "availability"
objective = "99.9 %"

[[slo]]
name = "orders-latency"
service = "shop"
operation = "GET /users/:id/orders"
sli = "latency"
threshold = "300ms"
objective = "99 %"
"""


def access_line(when, request="GET /users/4711/orders?page=2 HTTP/1.1", status=200, seconds="0.012", user="-"):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(when))
    return f'192.0.2.7 - {user} [{stamp}] "{request}" {status} 512 "-" "curl/7.88 (x; [y])" rt={seconds}\n'


class Sender:
    """nissa-send with a pipe to its standard input."""

    def __init__(self, port, *options):
        self.process = subprocess.Popen([PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{port}", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = b""
        self.reader = threading.Thread(target=self.listen)
        self.reader.start()

    def listen(self):
        for line in self.process.stderr:
            self.said += line

    def write(self, text):
        self.process.stdin.write(text.encode("utf-8", "surrogateescape"))
        self.process.stdin.flush()

    def until(self, condition, within=30):
        deadline = time.monotonic() + within
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.01)

    def pipe_is_empty(self):
        unread = array.array("i", [0])
        fcntl.ioctl(self.process.stdin, termios.FIONREAD, unread)
        return unread[0] == 0

    def end(self, how=None, within=60):
        if how is None:
            self.process.stdin.close()
        else:
            self.process.send_signal(how)
        code = self.process.wait(within)
        self.reader.join()
        summary = self.process.stdout.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        if how is not None:
            self.process.stdin.close()
        numbers = [int(one) for one in re.findall(r"\d+", summary)]
        names = ("lines", "bad", "acknowledged", "not_taken", "refused", "uncertain", "unsent", "resent", "lost")
        return code, dict(zip(names, numbers)), self.said.decode()


class Agents(unittest.TestCase):
    def test_an_access_log_with_ugly_lines_becomes_budgets_and_each_bad_line_is_named(self):
        with Nissad(SLOS) as nissad:
            now = time.time() - 5
            good = [access_line(now)] * 3 + [
                access_line(now, seconds="0.900"),                               # slow
                access_line(now, status=500), access_line(now, status=504, seconds="60.000"),
                access_line(now, status=404, request="GET /nothing HTTP/1.1"),
                access_line(now, status=499, seconds="1.000"),                   # gone: not counted by availability
                access_line(now, user="a [b] c"),
                access_line(now, status=400, request="\\x16\\x03\\x01\\x02", seconds="0.000"),
                access_line(now, status=400, request="", seconds="0.000"),
                access_line(now, request="GET /" + "%41" * 300 + " HTTP/2.0"),
                "\r\n", "\n"]
            bad = ['rubbish\n', access_line(now).rsplit(" rt=", 1)[0] + "\n", access_line(now, seconds="-"),
                   access_line(now, status="000"), "x" * 70_000 + "\n", "\xff\xfe\n"]
            sender = Sender(nissad.tcp_port, "--service", "shop", "-")
            sender.write("".join(good) + "".join(bad) + access_line(now).rstrip("\n"))
            code, summary, said = sender.end()
            self.assertEqual(code, 1, said)
            self.assertEqual((summary["lines"], summary["bad"], summary["acknowledged"]), (19, 6, 13))
            for number in range(15, 21):
                self.assertIn(f"line {number}: ", said)
            self.assertIn("line 16: no request time; log_format needs rt=$request_time", said)
            hour = nissad.window("shop-availability", "1h")
            self.assertEqual((hour["good"], hour["total"]), (10, 12))
            hour = nissad.window("orders-latency", "1h")
            self.assertEqual((hour["good"], hour["total"]), (5, 6))
            check_books(nissad)

    def test_kill_of_the_server_in_the_middle_every_line_is_counted_once(self):
        with Nissad(SLOS) as nissad:
            sender = Sender(nissad.tcp_port, "--service", "shop", "--batch-age-ms", "5")
            lines = 0
            for kill in range(4):
                for _ in range(200):
                    sender.write(json.dumps({"operation": "GET /", "duration_ms": 3}) + "\n" + access_line(time.time()))
                    lines += 2
                    time.sleep(0.001)
                if kill < 3:
                    nissad.kill()
                    nissad.start()
            code, summary, said = sender.end(within=90)
            self.assertEqual(code, 0, said)
            self.assertEqual(summary["acknowledged"], lines)
            self.assertGreaterEqual(summary["lost"], 3)
            self.assertEqual(nissad.window("shop-availability", "30d")["total"], lines)
            check_books(nissad)

    def test_a_server_that_is_absent_at_the_start_is_waited_for(self):
        with Nissad(SLOS) as nissad:
            nissad.kill()
            sender = Sender(nissad.tcp_port, "--service", "shop")
            sender.write('{"operation": "GET /"}\n' * 500)
            sender.process.stdin.close()
            sender.until(lambda: b"cannot connect" in sender.said)
            self.assertIsNone(sender.process.poll())
            nissad.start()
            code = sender.process.wait(60)
            sender.reader.join()
            sender.process.stdout.close()
            sender.process.stderr.close()
            self.assertEqual(code, 0, sender.said)
            self.assertIn(b"cannot connect", sender.said)
            self.assertEqual(nissad.window("shop-availability", "5m")["total"], 500)
            check_books(nissad)

    def test_sigterm_and_sigint_send_what_was_read_and_wait_for_it(self):
        with Nissad(SLOS) as nissad:
            for number, how in enumerate((signal.SIGTERM, signal.SIGINT)):
                sender = Sender(nissad.tcp_port, "--service", "shop", "--batch-age-ms", "60000")
                sender.write('{"operation": "GET /"}\n' * 300 + '{"operation": "GET ')
                sender.until(sender.pipe_is_empty)  # what is in the pipe is its writer's
                code, summary, said = sender.end(how)
                self.assertEqual((code, summary["acknowledged"], summary["bad"]), (1, 300, 1), said)
                self.assertIn("line 301: was not read to its end", said)
                self.assertEqual(nissad.window("shop-availability", "5m")["total"], 300 * (number + 1))
            check_books(nissad)

    def test_the_table_of_both_forms_of_json_is_right_in_each_cell(self):
        head, *rows = next(one for one in tables(section("protocol.md", "Without writing an agent")) if "HTTP" in one[0][-1])
        self.assertEqual(len(rows), 7)
        with Nissad(SLOS) as nissad:

            def line_is_understood(event):
                sender = Sender(nissad.tcp_port, "--service", "shop")
                sender.write(json.dumps(event) + "\n")
                return sender.end()[1]["bad"] == 0

            def http_takes(event):
                body = json.dumps({"events": [{"service": "shop", **event}]}).encode()
                asked = urllib.request.Request(f"http://127.0.0.1:{nissad.http_port}/v2/telemetry", body,
                                               {"Content-Type": "application/json"})
                try:
                    return json.load(urllib.request.urlopen(asked, timeout=10))["status"] == "COUNTED"
                except urllib.error.HTTPError as refused:
                    refused.close()
                    return False

            for name, line, http in rows[:6]:
                lines, events = ([json.loads(f"{{{one}}}") for one in re.findall(r'`(".*?)`', cell)] for cell in (line, http))
                self.assertTrue(lines and events)
                for taken in (line_is_understood, http_takes):
                    mine, others = (lines, events) if taken is line_is_understood else (events, lines)
                    for one in mine:
                        self.assertTrue(taken(one), f"{taken.__name__}: {one}")
                    for one in others:
                        self.assertEqual(taken(one), one in mine, f"{taken.__name__}: {one}")
            check_books(nissad)

    def test_at_a_port_that_speaks_http_it_says_so(self):
        with Nissad(SLOS) as nissad:
            for port in (nissad.http_port, nissad.admin_port):
                sender = Sender(port, "--service", "shop", "--drain", "1")
                sender.write("{}\n")
                sender.until(lambda: b"trying again" in sender.said)
                code, summary, said = sender.end()
                self.assertEqual((code, summary["unsent"]), (3, 1), said)
                self.assertIn("it answers in HTTP and does not speak Nissa's TCP protocol", said)
                self.assertIn("1 event abandoned", said)
            check_books(nissad)

    def test_events_that_the_server_does_not_take_are_said(self):
        with Nissad(SLOS) as nissad:
            sender = Sender(nissad.tcp_port, "--service", "shop")
            sender.write('{"operation": "GET /"}\n' + json.dumps({"time": time.time() - 40 * 86400}) + "\n" +
                         json.dumps({"time": time.time() + 3600}) + "\n")
            code, summary, _ = sender.end()
            self.assertEqual((code, summary["acknowledged"], summary["not_taken"]), (1, 3, 2))
            check_books(nissad)

    def test_what_nissa_load_sends_is_counted_and_its_slo_totals_agree_even_across_a_kill(self):
        shape = ["--services", "20", "--slos", "4", "--series", "500", "--batch", "50"]
        slos = subprocess.run([PROGRAMS / "nissa-load", "--print-config", *shape], check=True, capture_output=True)
        with Nissad(slos.stdout.decode()) as nissad, tempfile.TemporaryFile() as out:
            load = subprocess.Popen(
                [PROGRAMS / "nissa-load", "--server", f"127.0.0.1:{nissad.tcp_port}", "--admin",
                 f"127.0.0.1:{nissad.admin_port}", *shape, "--connections", "8", "--classes",
                 "low:1,normal:1,high:1,critical:1", "--disorder", "30days", "--rate", "100000", "--warmup", "1",
                 "--seconds", "3"], stdout=out)
            time.sleep(2)
            nissad.kill()
            nissad.start()
            code = load.wait(90)
            out.seek(0)
            report = out.read().decode()
            self.assertEqual(code, 0, report)
            self.assertIn("books       agree: counted = sent, and so do the SLO totals", report)
            for figure in ("events_per_second_batch_50", "ack_p50_ms", "ack_p99_ms", "ack_p999_ms"):
                self.assertRegex(report, rf"(?m)^figure {figure} [0-9.]+ ")
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
