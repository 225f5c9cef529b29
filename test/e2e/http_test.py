#!/usr/bin/python3
"""Batches over HTTP, with curl and with protobuf, as an SRE and as an agent would send them."""
import gzip
import http.client
import json
import os
import pathlib
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import event, pb  # noqa: E402
from support.nissad import PROGRAMS, Nissad, check_books, total  # noqa: E402


def curl(*arguments, body=None):
    """Status and text."""
    said = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *arguments], input=body, capture_output=True,
                          timeout=30, check=True).stdout.decode()
    text, status = said.rsplit("\n", 1)
    return int(status), text


class HttpAgent:
    """An epoch over one kept-alive connection."""

    def __init__(self, port):
        self.port = port
        self.epoch = struct.unpack("<Q", os.urandom(8))[0] | 1
        self.connect()
        self.seen = self.hello().now

    def connect(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body=body, headers=headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read(), answer

    def hello(self):
        _, body, _ = self.ask("GET", f"/v2/hello?epoch={self.epoch}", Accept="application/x-protobuf")
        return pb.HelloAck.FromString(body)

    def batch(self, events, sequence, priority=pb.NORMAL):
        return pb.TelemetryBatch(epoch=self.epoch, priority=priority, sequence=sequence, settled_below=1,
                                 event_count=len(events), sent_at_unix_ns=time.time_ns(), epoch_seen=self.seen,
                                 agent="http-test", events=events)

    def post(self, batch, **headers):
        body = batch.SerializeToString()
        if headers.get("Content_Encoding") == "gzip":
            body = gzip.compress(body)
        status, answer, _ = self.ask("POST", "/v2/telemetry", body, Content_Type="application/x-protobuf", **headers)
        return status, pb.Ack.FromString(answer)


class Http(unittest.TestCase):
    def test_one_line_of_curl_burns_a_budget_and_is_told_that_it_bore_no_key(self):
        with Nissad() as nissad:
            url = f"http://127.0.0.1:{nissad.http_port}/v2/telemetry"
            json_type = ("-H", "Content-Type: application/json")
            status, text = curl(url, *json_type, "-d", '{"events":[{"service":"shop","outcome":"ERROR"}]}')
            self.assertEqual(status, 200, text)
            ack = json.loads(text)
            self.assertEqual((ack["status"], ack["accepted"], ack["identity"]), ("COUNTED", 1, "none"))
            hour = nissad.window("shop-availability", "1h")
            self.assertEqual((hour["good"], hour["total"]), (0, 1))
            status, text = curl(url, "-d", "{}")
            self.assertEqual(status, 415)
            self.assertIn("-H 'Content-Type: application/json'", json.loads(text)["error"]["hint"])
            status, text = curl(url, *json_type, "-d", '{"events":[{"service":"shop","outcome":"BROKEN"}]}')
            self.assertEqual(status, 400)
            ack = json.loads(text)
            self.assertEqual((ack["reason"], ack["field"]), ("ENUM_UNKNOWN", "events[0].outcome"))
            self.assertEqual(ack["byte_offset"], '{"events":[{"service":"shop","outcome":"BROKEN"}]}'.index('"BROKEN"'))
            self.assertEqual(curl(url, *json_type, "-H", "Content-Encoding: gzip", "--data-binary", "@-",
                                  body=gzip.compress(b'{"events":[{"service":"shop"}]}'))[0], 200)
            # Chunked, as curl sends what it reads from a pipe.
            self.assertEqual(curl(url, *json_type, "-X", "POST", "-T", "-", body=b'{"events":[{"service":"shop"}]}')[0], 200)
            samples = check_books(nissad)
            self.assertEqual(samples['nissa_ingest_batches_total{class="normal",status="counted",identity="none"}'], 3)
            self.assertEqual(samples['nissa_http_responses_total{status="415"}'], 1)

    def test_a_keyed_batch_is_counted_once_through_gzip_retries_and_kill_9(self):
        with Nissad() as nissad:
            agent = HttpAgent(nissad.http_port)
            batches = [agent.batch([event()] * (number % 7 + 1), number) for number in range(1, 21)]
            for number, batch in enumerate(batches):
                headers = {"Content_Encoding": "gzip"} if number % 2 else {}
                status, ack = agent.post(batch, Nissa_Key=f"{agent.epoch}/{batch.sequence}", **headers)
                self.assertEqual((status, ack.status, ack.accepted), (200, pb.Ack.COUNTED, len(batch.events)))
            nissad.kill()
            nissad.start()
            agent.connect()
            for batch in batches:
                self.assertEqual(agent.post(batch)[1].status, pb.Ack.DUPLICATE)
            self.assertTrue(agent.hello().epoch_known)
            changed = agent.batch([event()] * 99, 1)
            status, ack = agent.post(changed)
            self.assertEqual((status, ack.status), (400, pb.Ack.CONFLICT))
            self.assertEqual(nissad.window("shop-availability", "1h")["total"], sum(len(one.events) for one in batches))
            goodbye = pb.Goodbye(epoch=agent.epoch, epoch_seen=agent.seen).SerializeToString()
            status, body, _ = agent.ask("POST", "/v2/goodbye", goodbye, Content_Type="application/x-protobuf")
            self.assertEqual((status, json.loads(body)), (200, {"done": True}))
            status, ack = agent.post(batches[0])
            self.assertEqual((status, ack.reason, ack.final), (400, pb.UNKNOWN_EPOCH, True))
            check_books(nissad)

    def test_what_is_too_large_or_not_http_is_refused_by_name_and_the_others_go_on(self):
        with Nissad(more='[ingest]\nmax_frame = "64 KiB"\nmax_inflated = "100 KiB"\nmax_json = "8 KiB"\n') as nissad:
            agent = HttpAgent(nissad.http_port)
            status, body, answer = agent.ask("POST", "/v2/telemetry", b"x" * 65537, Content_Type="application/x-protobuf")
            self.assertEqual((status, pb.Ack.FromString(body).reason), (413, pb.FRAME_TOO_LARGE))
            agent.connect()
            bomb = gzip.compress(b"\0" * 10_000_000)
            status, body, _ = agent.ask("POST", "/v2/telemetry", bomb, Content_Type="application/x-protobuf",
                                        Content_Encoding="gzip")
            self.assertEqual((status, pb.Ack.FromString(body).reason), (413, pb.FRAME_TOO_LARGE))
            text = b'{"events":[{"service":"shop"}]}'
            for size, expected in ((8192, 200), (8193, 413)):
                status, body, _ = agent.ask("POST", "/v2/telemetry", text.ljust(size), Content_Type="application/json")
                self.assertEqual(status, expected, body)
            self.assertEqual(agent.ask("GET", "/v2/telemetry")[0], 405)
            self.assertEqual(agent.ask("GET", "/nothing")[0], 404)
            self.assertEqual(agent.ask("GET", "/v2/hello?epoch=0")[0], 400)
            self.assertEqual(agent.ask("POST", "/v2/goodbye", b"{}", Content_Type="application/json")[0], 400)
            self.assertEqual(agent.post(agent.batch([event()], 1))[0], 200)
            check_books(nissad)

    def test_without_room_the_answer_is_503_from_the_headers_and_says_when_to_come_back(self):
        more = ('[ingest]\nmax_frame = "256 KiB"\nmax_inflated = "4 KiB"\nmax_json = "8 KiB"\n'
                '[gate]\ningest_bytes = "1 MiB"\ncritical_bytes = "1 MiB"\nsender_percent = 100\n')
        with Nissad(more=more) as nissad:
            held = []
            for _ in range(4):  # bodies that never come: NORMAL may hold 819 KiB
                one = http.client.HTTPConnection("127.0.0.1", nissad.http_port, timeout=20)
                one.putrequest("POST", "/v2/telemetry")
                for name, value in (("Content-Type", "application/x-protobuf"), ("Content-Length", "262144")):
                    one.putheader(name, value)
                one.endheaders()
                held.append(one)
            answer = held[3].getresponse()
            self.assertEqual(answer.status, 503)
            self.assertGreaterEqual(int(answer.getheader("Retry-After")), 1)
            self.assertEqual(pb.Ack.FromString(answer.read()).reason, pb.NO_ROOM)
            agent = HttpAgent(nissad.http_port)
            self.assertEqual(agent.post(agent.batch([event()], 1, pb.CRITICAL), Nissa_Priority="CRITICAL")[0], 200)
            for one in held:
                one.close()
            deadline = time.monotonic() + 10
            while agent.post(agent.batch([event()], 2))[0] != 200 and time.monotonic() < deadline:
                time.sleep(0.05)
            samples = check_books(nissad)
            self.assertEqual(total(samples, "nissa_gate_bytes"), 0)
            self.assertGreaterEqual(total(samples, "nissa_refusals_total", reason="no_room", **{"class": "normal"}), 1)

    def test_the_load_generator_s_books_agree_over_http_in_both_forms(self):
        for door in ("http", "http-json"):
            shape = ["--slos", "2", "--services", "20", "--series", "500", "--batch", "50", "--connections", "8"]
            slos = subprocess.run([PROGRAMS / "nissa-load", "--print-config", *shape], capture_output=True, text=True,
                                  check=True).stdout
            with Nissad(slos=slos) as nissad:
                load = subprocess.run([PROGRAMS / "nissa-load", "--door", door, "--server",
                                       f"127.0.0.1:{nissad.http_port}", "--admin", f"127.0.0.1:{nissad.admin_port}",
                                       "--depth", "2", "--batches", "500", "--warmup", "0", *shape],
                                      capture_output=True, text=True, timeout=60)
                self.assertEqual(load.returncode, 0, load.stdout + load.stderr)
                samples = check_books(nissad)
                self.assertGreaterEqual(total(samples, "nissa_http_responses_total", status="200"), 500)

    def test_sigterm_answers_what_is_in_hand(self):
        # A machine that stalls for a second answers all before the signal comes: then nothing was in hand.
        self.assertTrue(any("close" in self.answers_around_sigterm() for _ in range(5)))

    def answers_around_sigterm(self):
        """What each answer says of its connection: "close" where the batch was in hand at SIGTERM, None where it had been
        answered before. All are counted."""
        with Nissad(more='[journal]\ncommit_spacing = "1s"\n') as nissad:
            agents = [HttpAgent(nissad.http_port) for _ in range(3)]
            self.assertEqual(agents[0].post(agents[0].batch([event()], 1))[0], 200)  # the next commit is a second away
            for agent in agents:
                body = agent.batch([event()] * 5, 2).SerializeToString()
                agent.connection.request("POST", "/v2/telemetry", body, {"Content-Type": "application/x-protobuf"})
            deadline = time.monotonic() + 20
            while total(nissad.metrics(), "nissa_ingest_received_batches_total") < 1 + len(agents):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            self.assertEqual(nissad.stop(), 0)
            answers = [agent.connection.getresponse() for agent in agents]
            acks = [pb.Ack.FromString(answer.read()) for answer in answers]
            self.assertEqual({(answer.status, ack.status) for answer, ack in zip(answers, acks)}, {(200, pb.Ack.COUNTED)})
            said = [answer.getheader("Connection") for answer in answers]
            self.assertLessEqual(set(said), {"close", None})
            nissad.start()
            self.assertEqual(nissad.window("shop-availability", "1h")["total"], 16)
            check_books(nissad)
        return said


if __name__ == "__main__":
    unittest.main(verbosity=2)
