#!/usr/bin/python3
"""docs/protocol.md taken at its word over HTTP: the sender that it shows, run as it stands there."""
import contextlib
import http.server
import io
import json
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.documents import blocks, section  # noqa: E402
from support.fault_proxy import Faults, FaultProxy  # noqa: E402
from support.nissad import Nissad, check_books, total  # noqa: E402

SENDER, EXAMPLE = blocks(section("protocol.md", "HTTP"), "python")


def shown():
    names = {}
    exec(compile(SENDER, "docs/protocol.md", "exec"), names)
    return names


Sender = shown()["Sender"]


def some(count, failed=0, service="shop"):
    outcomes = ["ERROR"] * failed + ["OK"] * (count - failed)
    return [{"service": service, "outcome": outcome, "time_unix_ns": time.time_ns()} for outcome in outcomes]


class AgainstTheRealServer(unittest.TestCase):
    def test_through_kills_restarts_and_lost_answers_exactly_what_was_sent_is_counted(self):
        with Nissad() as nissad:
            proxy = FaultProxy(nissad.http_port, seed=11, down=Faults(cut=(100, 2500)))
            self.addCleanup(proxy.close)

            def kill_now_and_then():
                for _ in range(3):
                    time.sleep(1)
                    nissad.kill()
                    time.sleep(0.3)
                    nissad.start()

            killer = threading.Thread(target=kill_now_and_then)
            killer.start()
            sender = Sender(f"http://127.0.0.1:{proxy.port}", "shown")
            sent = bad = batches = 0
            fates = set()
            # An answer is lost where a cut falls behind the request: that is for chance to say.
            longest = time.monotonic() + 60
            while killer.is_alive() or (len(fates) < 2 or proxy.done["cut"] < 4) and time.monotonic() < longest:
                count = 1 + batches % 7
                fates.add(sender.send(some(count, failed=batches % 2))["status"])
                sent, bad, batches = sent + count, bad + batches % 2, batches + 1
            killer.join()
            self.assertEqual(fates, {"COUNTED", "DUPLICATE"}, "an answer was lost and the batch was not counted again")
            self.assertEqual(sender.sequence, batches, "one epoch, a number a batch")
            lifetime = nissad.slo("shop-availability")["lifetime"]
            self.assertEqual((lifetime["good"], lifetime["total"]), (sent - bad, sent))
            check_books(nissad)

    def test_what_is_wrong_for_good_is_raised_with_its_reason_and_the_next_batch_is_counted(self):
        with Nissad() as nissad:
            sender = Sender(f"http://127.0.0.1:{nissad.http_port}", "shown")
            sender.send(some(2))
            first = sender.epoch
            with self.assertRaisesRegex(RuntimeError, "^not counted: .*FIELD_UNKNOWN.*did you mean"):
                sender.send([{"servce": "shop"}])
            self.assertEqual(sender.send(some(3))["status"], "COUNTED")
            self.assertNotEqual(sender.epoch, first)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 5)
            check_books(nissad)

    def test_another_state_is_named_as_the_cause_and_the_next_batch_is_counted_by_it(self):
        with Nissad() as nissad:
            sender = Sender(f"http://127.0.0.1:{nissad.http_port}", "shown")
            sender.send(some(2))
            nissad.kill()
            (nissad.folder / "state").rename(nissad.folder / "old-state")
            nissad.start()
            with self.assertRaisesRegex(RuntimeError, f"^not counted: .*state_id is {sender.seen['state_id']}, "
                                                      "which is another state than this one"):
                sender.send(some(3))
            sender.send(some(4))
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 4)
            check_books(nissad)

    def test_the_example_of_its_use_runs_and_tells_of_a_service_that_no_slo_has(self):
        with Nissad() as nissad:
            for service, said in (("shop", ""), ("shpo", "events that belong to no SLO: 1\n")):
                out = io.StringIO()
                example = EXAMPLE.replace("7441", str(nissad.http_port)).replace('"shop"', f'"{service}"')
                with contextlib.redirect_stdout(out):
                    exec(example, shown())
                self.assertEqual(out.getvalue(), said)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"], {"good": 1, "total": 1})
            self.assertEqual(total(check_books(nissad), "nissa_ingest_unmatched_events_total"), 1)

    def test_hello_tells_the_bounds_of_bodies_as_they_are_configured(self):
        with Nissad(more='[ingest]\nmax_frame = "64 KiB"\nmax_inflated = "100 KiB"\nmax_json = "8 KiB"\n') as nissad:
            hello = Sender(f"http://127.0.0.1:{nissad.http_port}", "shown")._ask("/v2/hello")
            told = [hello[name] for name in ("max_frame_bytes", "max_inflated_bytes", "max_json_bytes")]
            self.assertEqual(told, [64 << 10, 100 << 10, 8 << 10])


class Scripted:
    """An HTTP server that gives these answers in turn, then counts all: (status, headers, body), bytes as they are (cut
    off there), or None for none. Keeps the bodies of batches and when they came."""

    def __init__(self, *answers):
        waiting, self.came = list(answers), []
        came = self.came

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer(200, {}, b'{"now":{"state_id":"18446744073709551615","running_ms":"3"}}')

            def do_POST(self):
                came.append((time.monotonic(), self.rfile.read(int(self.headers["Content-Length"]))))
                answer = waiting.pop(0) if waiting else (200, {}, b'{"status":"COUNTED"}')
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                elif answer is not None:
                    self.answer(*answer)

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in {"Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class AgainstEveryAnswer(unittest.TestCase):
    def server(self, *answers):
        server = Scripted(*answers)
        self.addCleanup(server.close)
        return server

    def test_503_is_followed_by_the_same_bytes_and_not_before_retry_after(self):
        server = self.server((503, {"Retry-After": 2}, b"{}"))
        Sender(server.url, "shown").send(some(1))
        (first, body), (second, again) = server.came
        self.assertEqual(body, again)
        self.assertGreaterEqual(second - first, 2)

    def test_no_answer_and_half_of_one_are_followed_by_the_same_bytes(self):
        for lost in (None, b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Ty", b"HTTP/1.1 503 Later\r\nRetry-After: ",
                     (200, {"Content-Length": 50}, b'{"status":"COUN'), (502, {}, b"of a proxy")):
            with self.subTest(lost=lost):
                server = self.server(lost)
                Sender(server.url, "shown").send(some(1))
                (_, body), (_, again) = server.came
                self.assertEqual(body, again)

    def test_a_refusal_for_good_after_a_sending_without_answer_is_said_to_be_in_doubt(self):
        final = (400, {}, b'{"status":"REFUSED","reason":"UNKNOWN_EPOCH"}')
        for before, said in ((final,), "not counted: "), ((None, final), "perhaps counted: "):
            server = self.server(*before)
            sender = Sender(server.url, "shown")
            with self.assertRaisesRegex(RuntimeError, f"^{said}.*UNKNOWN_EPOCH"):
                sender.send(some(1))
            self.assertEqual(len(server.came), len(before), "it is never sent again")

    def test_its_batches_bear_one_epoch_ascending_numbers_and_what_hello_told_until_the_epoch_is_old(self):
        server = self.server()
        sender = Sender(server.url, "shown")
        for _ in range(3):
            sender.send(some(1))
        sender.renew_at = 0
        sender.send(some(1))
        batches = [json.loads(body) for _, body in server.came]
        self.assertEqual([one["sequence"] for one in batches], [1, 2, 3, 1])
        self.assertEqual([one["settled_below"] for one in batches], [1, 2, 3, 1])
        epochs = [one["epoch"] for one in batches]
        self.assertEqual((len(set(epochs)), epochs[0], epochs[1]), (2, epochs[1], epochs[2]))
        self.assertEqual(batches[0]["epoch_seen"], {"state_id": "18446744073709551615", "running_ms": "3"})


if __name__ == "__main__":
    unittest.main()
