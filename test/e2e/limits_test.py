#!/usr/bin/python3
"""Every limit of a message at its edge, from outside: the last that passes and the first that
does not, by the answer that the documents promise, while the connection's other messages and other connections go on."""
import gzip
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import event, pb, varint  # noqa: E402
from support.limit_case import PROTOBUF, LimitCase  # noqa: E402
from support.raw_http import ONE_EVENT, request  # noqa: E402


def sized(agent, size, measured):
    """A batch of which `measured` says that it has exactly so many bytes."""
    batch = agent.batch([event(operation="o" * 200) for _ in range(size // 250)] + [event(operation="")])
    for length in range(500):
        last = batch.events[-1]
        last.operation = "o" * (length // 2)
        last.service = "s" * (length - length // 2)
        if measured(batch) == size:
            return batch
    raise AssertionError(f"no batch has {size} bytes")


class Messages(LimitCase):
    def test_max_frame_over_tcp(self):
        nissad = self.start('[ingest]\nmax_frame = "4 KiB"')
        agent, other = self.agent(nissad), self.agent(nissad)
        content = lambda batch: len(pb.ClientFrame(batch=batch).SerializeToString())
        fits = sized(agent, 4096, content)
        self.assert_counted(agent.ask(fits), len(fits.events))
        self.assert_malformed(agent.ask(sized(agent, 4097, content)), pb.FRAME_TOO_LARGE)
        self.assert_counted(agent.ask(agent.batch([event()])))
        self.assert_counted(other.ask(other.batch([event()])))

    def test_max_frame_over_http(self):
        nissad = self.start('[ingest]\nmax_frame = "4 KiB"\nmax_inflated = "4 KiB"')
        agent = self.agent(nissad)
        fits = sized(agent, 4096, pb.TelemetryBatch.ByteSize)
        self.assert_counted(self.post(nissad, fits)[1], len(fits.events))
        status, ack = self.post(nissad, sized(agent, 4097, pb.TelemetryBatch.ByteSize))
        self.assertEqual(status, 413)
        self.assert_malformed(ack, pb.FRAME_TOO_LARGE)
        self.assertIn("the body has 4097 bytes; this server takes 4096 bytes of this type", ack.message)
        self.assertEqual(self.post(nissad, agent.batch([event()]))[0], 200)

    def test_max_inflated(self):
        nissad = self.start('[ingest]\nmax_inflated = "4 KiB"')
        agent, one = self.agent(nissad), self.raw(nissad.http_port)
        for size, expected in ((4096, 200), (4097, 413), (4096, 200)):
            batch = sized(agent, size, pb.TelemetryBatch.ByteSize)
            packed = gzip.compress(batch.SerializeToString())
            status, body = one.ask(request(packed, "Content-Encoding: gzip", kind=PROTOBUF))
            ack = pb.Ack.FromString(body)
            self.assertEqual(status, expected, ack)
            if expected == 413:
                self.assert_malformed(ack, pb.FRAME_TOO_LARGE)
                self.assertIn("the body inflates to more than 4096", ack.message)

    def test_max_json_as_sent_and_inflated(self):
        nissad = self.start('[ingest]\nmax_json = "1 KiB"')
        for size, expected in ((1024, 200), (1025, 413)):
            text = ONE_EVENT.ljust(size)
            for body, headers in ((text, ()), (gzip.compress(text), ("Content-Encoding: gzip",))):
                status, ack = self.raw(nissad.http_port).ask(request(body, *headers))
                self.assertEqual((status, ack.get("reason")), (expected, None if status == 200 else "FRAME_TOO_LARGE"))
            chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (size, text)
            status, ack = self.raw(nissad.http_port).ask(request(chunked, "Transfer-Encoding: chunked", length=""))
            self.assertEqual((status, ack.get("reason")), (expected, None if status == 200 else "FRAME_TOO_LARGE"))
        self.assertEqual(nissad.window("shop-availability", "1h")["total"], 3)

    def test_max_events(self):
        nissad = self.start("[ingest]\nmax_events = 3")
        agent, one = self.agent(nissad), self.raw(nissad.http_port)
        self.assertEqual(agent.hello.max_events, 3)
        self.assert_counted(agent.ask(agent.batch([event()] * 3)), 3)
        self.assert_malformed(agent.ask(agent.batch([event()] * 4)), pb.TOO_MANY_EVENTS, "event_count")
        self.assert_counted(agent.ask(agent.batch([event()])))
        self.assert_counted(self.post(nissad, agent.batch([event()] * 3))[1], 3)
        self.assert_malformed(self.post(nissad, agent.batch([event()] * 4))[1], pb.TOO_MANY_EVENTS, "event_count")
        json_of = lambda count: b'{"events":[' + b",".join([b'{"service":"shop"}'] * count) + b"]}"
        self.assertEqual(one.ask(request(json_of(3)))[1]["accepted"], 3)
        self.assertEqual(one.ask(request(json_of(4)))[1]["reason"], "TOO_MANY_EVENTS")
        self.assertEqual(one.ask(request(json_of(0)))[1]["reason"], "EMPTY_BATCH")

    def assert_edge_of_an_event(self, nissad, fits, beyond, fault):
        """The one counts, the other is rejected alone, over both doors."""
        agent = self.agent(nissad)
        for ask in (agent.ask, lambda batch: self.post(nissad, batch)[1]):
            ack = ask(agent.batch([event(), beyond, fits]))
            self.assert_counted(ack, 2)
            self.assertEqual([(one.fault, one.count) for one in ack.rejected], [(fault, 1)])

    def test_max_name_of_service_operation_label_key_and_label_value(self):
        nissad = self.start('[ingest]\nmax_name = "16 B"')
        for name in ("service", "operation"):
            with self.subTest(name):
                self.assert_edge_of_an_event(nissad, event(**{name: "n" * 16}), event(**{name: "n" * 17}), pb.NAME_TOO_LONG)
        for place in (0, 1):
            label = lambda size: [tuple("n" * size if at == place else "x" for at in (0, 1))]
            with self.subTest("label", place=place):
                self.assert_edge_of_an_event(nissad, event(labels=label(16)), event(labels=label(17)), pb.NAME_TOO_LONG)

    def test_max_labels(self):
        labels = [("a", "1"), ("b", "2"), ("c", "3")]
        nissad = self.start("[ingest]\nmax_labels = 2")
        self.assert_edge_of_an_event(nissad, event(labels=labels[:2]), event(labels=labels), pb.TOO_MANY_LABELS)

    def test_max_labels_may_be_none_at_all(self):
        self.assert_edge_of_an_event(self.start("[ingest]\nmax_labels = 0"), event(), event(labels=[("a", "1")]),
                                     pb.TOO_MANY_LABELS)

    def test_max_request_id(self):
        fits, beyond = event(), event()
        fits.request_id, beyond.request_id = "r" * 4, "r" * 5
        self.assert_edge_of_an_event(self.start('[ingest]\nmax_request_id = "4 B"'), fits, beyond, pb.REQUEST_ID_TOO_LONG)

    def test_an_event_may_be_ten_seconds_ahead(self):
        ahead = lambda seconds: event(when_ns=time.time_ns() + seconds * 10**9)
        self.assert_edge_of_an_event(self.start(), ahead(9), ahead(11), pb.IN_THE_FUTURE)

    def test_an_agents_name_has_96_bytes(self):
        nissad = self.start()
        agent = self.agent(nissad, name="n" * 96)
        self.assert_counted(agent.ask(agent.batch([event()])))
        agent.name += "n"
        self.assert_malformed(agent.ask(agent.batch([event()])), pb.HEADER_INVALID, "agent")
        status, ack = self.post(nissad, agent.batch([event()]))
        self.assertEqual(status, 400)
        self.assert_malformed(ack, pb.HEADER_INVALID, "agent")
        agent.send("hello", pb.Hello(protocol=2, agent="n" * 97))
        self.assertEqual(agent.read().ack.field, "agent")
        agent.name = "short"
        self.assert_counted(agent.ask(agent.batch([event()])))

    def test_a_batchs_header_has_256_bytes(self):
        nissad = self.start()
        agent = self.agent(nissad)
        for ask in (self.ask_raw(agent), self.post_raw(nissad)):
            for size in (256, 257):
                batch = agent.batch([event()])
                body = b"\x52" + varint(batch.events[0].ByteSize()) + batch.events[0].SerializeToString()
                del batch.events[:]
                seen = batch.epoch_seen.SerializeToString()
                for filling in range(1, 250):  # an unknown field of epoch_seen
                    if batch.ByteSize() < size:
                        batch.epoch_seen.ParseFromString(seen + b"\x7a" + varint(filling) + b"f" * filling)
                self.assertEqual(batch.ByteSize(), size)
                ack = ask(batch.SerializeToString() + body)
                if size == 256:
                    self.assert_counted(ack)
                else:
                    self.assertEqual((ack.status, ack.reason), (pb.Ack.MALFORMED, pb.HEADER_TOO_LONG), ack)
        self.assert_counted(agent.ask(agent.batch([event()])))

    def ask_raw(self, agent):
        def ask(batch):
            frame = b"\x12" + varint(len(batch)) + batch
            agent.send_raw(varint(len(frame)) + frame)
            return agent.read().ack
        return ask

    def post_raw(self, nissad):
        return lambda batch: pb.Ack.FromString(self.raw(nissad.http_port).ask(request(batch, kind=PROTOBUF))[1])

    def test_255_batches_above_what_is_settled(self):
        nissad = self.start()
        agent = self.agent(nissad)
        self.assert_counted(agent.ask(agent.batch([event()], sequence=256)))
        ack = agent.ask(agent.batch([event()], sequence=257))
        self.assertEqual((ack.status, ack.reason, ack.final), (pb.Ack.REFUSED, pb.WINDOW_FULL, False))
        self.assert_counted(agent.ask(agent.batch([event()], sequence=257, settled_below=2)))

    def test_a_goodbye_over_http_has_1024_bytes(self):
        one = self.raw(self.start().http_port)
        for size, expected in ((1024, 400), (1025, 413)):  # 400: spaces are no Goodbye
            status, said = one.ask(request(b" " * size, path="/v2/goodbye"))
            self.assertEqual(status, expected)
        self.assertEqual(said["error"]["message"], "the request's body has more than the 1024 bytes that /v2/goodbye takes")

    def test_a_request_head_has_8_kib_and_a_hundred_fields(self):
        nissad = self.start()
        for port, path in ((nissad.http_port, "/v2/hello"), (nissad.admin_port, "/healthz")):
            head = lambda filling: f"GET {path}?q={'q' * filling} HTTP/1.1\r\nHost: nissa\r\n\r\n".encode()
            least = len(head(0))
            self.assertEqual(self.raw(port).ask(head(8192 - least))[0], 200)
            status, said = self.raw(port).ask(head(8193 - least))
            self.assertEqual((status, said["error"]["message"]), (431, "the request's header is larger than 8192 bytes"))
            fields = lambda count: f"GET {path} HTTP/1.1\r\nHost: a\r\n".encode() + b"x: y\r\n" * (count - 1) + b"\r\n"
            self.assertEqual(self.raw(port).ask(fields(100))[0], 200)
            status, said = self.raw(port).ask(fields(101))
            self.assertEqual((status, said["error"]["message"]), (431, "the request's header is of more than 100 fields"))

    def test_numbers_in_a_query(self):
        nissad = self.start()
        ask = lambda port, target: self.raw(port).ask(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())[0]
        for epoch, expected in ((0, 400), (1, 200), (2**64 - 1, 200), (2**64, 400), ("%zz", 400), ("", 400)):
            self.assertEqual(ask(nissad.http_port, f"/v2/hello?epoch={epoch}"), expected, epoch)
        for limit, expected in ((0, 400), (1, 200), (1000, 200), (1001, 400), ("-1", 400), ("%zz", 400)):
            self.assertEqual(ask(nissad.admin_port, f"/api/v2/streams?limit={limit}"), expected, limit)

    def test_a_body_for_operators_has_4096_bytes(self):
        one = self.raw(self.start().admin_port)
        for size, expected in ((4096, 400), (4097, 413)):  # 400: spaces say no level
            self.assertEqual(one.ask(request(b" " * size, path="/api/v2/log"))[0], expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
