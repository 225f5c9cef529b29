#!/usr/bin/python3
"""The door over HTTP against who speaks HTTP wrongly, by mistake or on purpose: each is told what is wrong or is closed in
time, nobody takes more memory than is configured, and the others' batches are counted all the while."""
import gzip
import json
import pathlib
import resource
import socket
import struct
import sys
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.limit_case import LimitCase  # noqa: E402
from support.nissad import total  # noqa: E402
from support.raw_http import ONE_EVENT, Raw, request, until  # noqa: E402

CHUNKED = "Transfer-Encoding: chunked"
HEAD_BYTES = 40 * 1024  # of a connection over HTTP, as docs/configuration.md says


def chunks(*parts, end=b"0\r\n\r\n"):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


def get(target, *headers, version="1.1", host=("Host: nissa",)):
    return "\r\n".join([f"GET {target} HTTP/{version}", *host, *headers]).encode("latin-1") + b"\r\n\r\n"


def with_extra_fields(raw):
    """gzip with FEXTRA, FNAME, FCOMMENT and FHCRC."""
    head = b"\x1f\x8b\x08\x1e" + struct.pack("<IBB", 0, 0, 3) + struct.pack("<H", 4) + b"exra" + b"name\0" + b"comment\0"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    packer = zlib.compressobj(wbits=-15)
    return head + packer.compress(raw) + packer.flush() + struct.pack("<II", zlib.crc32(raw), len(raw))


EVENT_CHUNKS = chunks(ONE_EVENT[:7], ONE_EVENT[7:])
# What is sent, the status, and what the answer says: a word of it, or None where the batch is counted.
CASES = {
    "content-length and chunked": (request(b"0\r\n\r\n", CHUNKED, length=5), 400, "bad Transfer-Encoding|bad Content-Length"),
    "chunked and content-length": (request(b"0\r\n\r\n", "Content-Length: 5", CHUNKED, length=""), 400, "bad "),
    "two lengths": (request(ONE_EVENT, "Content-Length: 3"), 400, "bad Content-Length|multiple Content-Length"),
    "the same length twice": (request(ONE_EVENT, f"Content-Length: {len(ONE_EVENT)}"), 200, None),
    "a negative length": (request(ONE_EVENT, length=-1), 400, "bad Content-Length"),
    "a length with a plus": (request(ONE_EVENT, length="+31"), 400, "bad Content-Length"),
    "a length in hex": (request(ONE_EVENT, length="0x1f"), 400, "bad Content-Length"),
    "an empty length": (request(ONE_EVENT, "Content-Length:", length=""), 400, "bad Content-Length"),
    "the longest length": (request(ONE_EVENT, length=2**64 - 1), 413, "has 18446744073709551615 bytes"),
    "a longer length": (request(ONE_EVENT, length=2**64), 400, "bad Content-Length"),
    "no body": (request(length=""), 400, "found the end of the text"),
    "chunks": (request(EVENT_CHUNKS, CHUNKED, length=""), 200, None),
    "chunk extensions": (request(b'1f;a=b;c="d"\r\n%s\r\n0;x\r\n\r\n' % ONE_EVENT, CHUNKED, length=""), 200, None),
    "a trailer": (request(chunks(ONE_EVENT, end=b"0\r\nX-Sum: 5\r\n\r\n"), CHUNKED, length=""), 200, None),
    "a length in the trailer": (request(chunks(ONE_EVENT, end=b"0\r\nContent-Length: 5\r\n\r\n"), CHUNKED, length=""), 400, "bad "),
    "a chunk size that is none": (request(b"zz\r\nabc\r\n", CHUNKED, length=""), 400, "bad chunk"),
    "a negative chunk": (request(b"-1\r\nabc\r\n", CHUNKED, length=""), 400, "bad chunk"),
    "a chunk in 0x": (request(b"0x1f\r\nabc\r\n\r\n", CHUNKED, length=""), 400, "bad chunk"),
    "the largest chunk": (request(b"f" * 16 + b"\r\nabc\r\n", CHUNKED, length=""), 413, "this server takes 65536 bytes"),
    "a chunk beyond 64 bits": (request(b"1" + b"0" * 16 + b"\r\nabc\r\n", CHUNKED, length=""), 400, "bad chunk"),
    "a chunk longer than it says": (request(b"3\r\nabcd\r\n0\r\n\r\n", CHUNKED, length=""), 400, "bad chunk"),
    "a coding behind chunked": (request(EVENT_CHUNKS, "Transfer-Encoding: chunked, gzip", length=""), 400, "Transfer-Encoding"),
    "a coding before chunked": (request(EVENT_CHUNKS, "Transfer-Encoding: gzip, chunked", length=""), 400, "Transfer-Encoding"),
    "chunked twice": (request(EVENT_CHUNKS, CHUNKED, CHUNKED, length=""), 400, "Transfer-Encoding"),
    "chunked in HTTP/1.0": (request(EVENT_CHUNKS, CHUNKED, length="").replace(b"HTTP/1.1", b"HTTP/1.0"), 400, "HTTP/1.0"),
    "a space before a colon": (get("/v2/hello", "X : y"), 400, "bad field"),
    "a NUL in a header": (get("/v2/hello", "X: a\0b"), 400, "bad value"),
    "a folded header": (get("/v2/hello", "X: a\r\n b"), 200, "max_events"),
    "only line feeds": (get("/v2/hello").replace(b"\r", b""), 400, "bad version"),
    "no host": (get("/v2/hello", host=()), 400, "no Host"),
    "no host in HTTP/1.0": (get("/v2/hello", host=(), version="1.0"), 200, "max_events"),
    "two hosts": (get("/v2/hello", "Host: b"), 400, "more than one Host"),
    "HTTP/1.2": (get("/v2/hello", version="1.2"), 400, "bad version"),
    "HTTP/0.9": (b"GET /v2/hello\r\n\r\n", 400, "bad "),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", 400, "bad "),
    "TLS": (bytes.fromhex("16030100c8010000c40303") + bytes(range(180)), 400, "bad "),
    "a NUL in the target": (get("/v2/hello\0"), 400, "bad "),
    "a NUL behind a percent": (get("/v2/hello%00"), 404, "there is nothing at"),
    "a slash behind a percent": (get("/v2%2fhello"), 404, "there is nothing at"),
    "letters behind percents": (get("/v2/%68ello"), 200, "max_events"),
    "dots": (get("/v2/../v2/hello"), 404, "there is nothing at"),
    "an absolute target": (get("HTTP://nissa:7441/v2/hello"), 200, "max_events"),
    "an absolute target's query": (get("http://nissa?/v2/hello"), 200, "POST /v2/telemetry"),
    "an asterisk": (get("*").replace(b"GET", b"OPTIONS"), 404, "there is nothing at"),
    "a proxy's method": (b"CONNECT nissa:80 HTTP/1.1\r\nHost: nissa\r\n\r\n", 404, "there is nothing at"),
    "another method": (request(path="/v2/telemetry", method="TRACE"), 405, "use POST"),
    "empty lines first": (b"\r\n\r\n" + get("/v2/hello"), 200, "max_events"),
    "another expectation": (request(ONE_EVENT, "Expect: 200-ok"), 200, None),
    "a type twice": (request(ONE_EVENT, "Content-Type: text/plain"), 400, "expected one of it"),
    "gzip with every field": (request(with_extra_fields(ONE_EVENT), "Content-Encoding: gzip"), 200, None),
    "gzip in two members": (request(gzip.compress(ONE_EVENT[:9]) + gzip.compress(ONE_EVENT[9:]), "Content-Encoding: gzip"),
                            400, "followed by something else"),
    "gzip cut off": (request(gzip.compress(ONE_EVENT)[:-1], "Content-Encoding: gzip"), 400, "cut off"),
    "gzip that is none": (request(ONE_EVENT, "Content-Encoding: gzip"), 400, "no whole gzip stream"),
    "a bomb": (request(gzip.compress(b" " * 10_000_000), "Content-Encoding: gzip"), 413, "inflates to more than 65536"),
    "gzip of gzip": (request(gzip.compress(gzip.compress(ONE_EVENT)), "Content-Encoding: gzip, gzip"), 415, "send gzip"),
    "only brackets": (request(b"[" * 65536), 400, "expected an object"),
    "deep labels": (request(b'{"events":[{"labels":[' * 2900), 400, "expected a field of Label"),
    "deep unknowns": (request(b'{"a":' * 13000), 400, "expected a field of TelemetryBatch"),
    "keys with escapes": (request(b'{"\\u0065vents":[{"serv\\u0069ce":"sh\\u006fp"}]}'), 200, None),
    "a key twice, once with escapes": (request(b'{"events":[],"\\u0065vents":[{"service":"shop"}]}'), 400, "FIELD_REPEATED"),
    "a NUL behind the text": (request(ONE_EVENT + b"\0"), 400, "expected the end of the text"),
    "a byte order mark": (request(b"\xef\xbb\xbf" + ONE_EVENT), 400, "byte order mark"),
    "UTF-16": (request(ONE_EVENT.decode().encode("utf-16")), 400, "expected an object"),
}


class Hostile(LimitCase):
    def memory(self, nissad):
        return int(next(line for line in pathlib.Path(f"/proc/{nissad.process.pid}/status").read_text().splitlines()
                        if line.startswith("VmRSS")).split()[1]) * 1024

    def test_each_is_told_what_is_wrong_and_the_next_connection_is_served(self):
        nissad = self.start()
        counted = 0
        for name, (sent, status, word) in CASES.items():
            with self.subTest(name):
                one = self.raw(nissad.http_port, timeout=5)
                got, said = one.ask(sent)
                text = json.dumps(said, ensure_ascii=False) if isinstance(said, dict) else said.decode()
                self.assertEqual(got, status, text)
                if word is None:
                    self.assertEqual((said["status"], said["accepted"]), ("COUNTED", 1))
                    counted += 1
                else:
                    self.assertTrue(any(each in text for each in word.split("|")), text)
                one.close()
        self.assertEqual(nissad.window("shop-availability", "1h")["total"], counted)

    def test_a_request_byte_by_byte_and_many_in_one_piece(self):
        nissad = self.start()
        one = self.raw(nissad.http_port)
        for byte in request(EVENT_CHUNKS, CHUNKED, length=""):
            one.say(bytes([byte]))
        self.assertEqual(one.hear()[0], 200)
        one.say(b"\r\n".join([request(ONE_EVENT), request(EVENT_CHUNKS, CHUNKED, length=""), get("/v2/hello")]) * 50)
        self.assertEqual([one.hear()[0] for _ in range(150)], [200] * 150)
        self.assertEqual(nissad.window("shop-availability", "1h")["total"], 101)

    def test_who_leaves_at_any_stage_leaves_nothing_behind(self):
        nissad = self.start()
        whole = request(gzip.compress(ONE_EVENT), "Content-Encoding: gzip", "Expect: 100-continue")
        for size in range(1, len(whole) + 1, 3):
            for reset in (False, True):
                one = self.raw(nissad.http_port).say(whole[:size])
                if reset:
                    one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
        self.assertTrue(until(lambda: nissad.metrics()["nissa_http_connections"] == 0))
        self.assertEqual(self.raw(nissad.http_port).ask(request(ONE_EVENT))[0], 200)

    def test_64_kib_of_events_that_differ_in_a_byte(self):
        nissad = self.start('[ingest]\nmax_events = 5000\nremembered_identities = 1000')
        one = self.raw(nissad.http_port)
        count = 0
        for begin in range(0, 5000, 1000):
            body = b'{"events":[' + b",".join(b'{"service":"shop","operation":"%04d"}' % at for at in range(begin, begin + 1000)) + b"]}"
            self.assertLess(len(body), 65536)
            self.assertEqual(one.ask(request(body))[1]["accepted"], 1000)
            count += 1000
        self.assertEqual(nissad.window("shop-availability", "1h")["total"], count)

    def test_what_is_said_of_a_chunk_or_behind_the_last_does_not_grow_without_end(self):
        nissad = self.start()
        before = self.memory(nissad)
        for begin in (b"1;a=", chunks(b"{", end=b"0\r\nX: "), chunks(b"{", end=b"0\r\n")):
            one = self.raw(nissad.http_port).say(request(begin, CHUNKED, length=""))
            with self.assertRaises(OSError):
                for _ in range(400):
                    one.say(b"x: y\r\n" * 20_000 if begin.endswith(b"0\r\n") else b"x" * 120_000)
        self.assertLess(self.memory(nissad) - before, 8 << 20)

    def test_thousands_of_connections_take_what_is_configured_and_no_more(self):
        """Heads of every kind and no body, on as many connections as there may be: the memory stays within the room that
        the gate granted and what the configuration says of a connection, and goes back."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(4000, (hard - 200) // 5)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 200), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        nissad = self.start(f'[ingest]\nmax_connections = {4 * count}\nmax_http_connections = {count}\nframe_timeout = "30s"')
        before = self.memory(nissad)
        tiny, large = ["x:"] * 2000, [f"x{at}: {'y' * 72}" for at in range(90)]
        kinds = [request(b"", *large, length=1000), request(b"", *tiny[:90], length=1000), request(b"", length=65536),
                 request(b"", kind="application/x-protobuf", length=1 << 20), request(b"", CHUNKED, length=""),
                 request(b"", "Content-Encoding: gzip", length=60000), request(b"", *tiny[:95]).rstrip(),
                 request(b"", *large, length=1000)[:-5]]
        many = [Raw(nissad.http_port).say(kinds[at % len(kinds)]) for at in range(count)]
        # Of two kinds in eight some are refused and closed, after a second.
        self.assertTrue(until(lambda: nissad.metrics()["nissa_http_connections"] >= count * 2 // 3))
        samples = nissad.metrics()
        granted = total(samples, "nissa_gate_bytes")
        self.assertLess(granted, 64 << 20)
        self.assertLess(self.memory(nissad) - before, granted + count * HEAD_BYTES)
        for one in many:
            one.close()
        self.assertTrue(until(lambda: total(nissad.metrics(), "nissa_gate_bytes") == 0))
        self.assertEqual(self.raw(nissad.http_port).ask(request(ONE_EVENT))[0], 200)

    def test_who_is_told_to_go_on_and_does_not_is_closed_and_its_room_goes_back(self):
        nissad = self.start('[ingest]\nframe_timeout = "2s"')
        one = self.raw(nissad.http_port)
        self.assertEqual(one.ask(request(b"", "Expect: 100-continue", length=60000))[0], 100)
        self.assertGreaterEqual(total(nissad.metrics(), "nissa_gate_bytes"), 60000)
        self.assertIsNotNone(one.closed_within(20))
        self.assertTrue(until(lambda: total(nissad.metrics(), "nissa_gate_bytes") == 0))


if __name__ == "__main__":
    unittest.main(verbosity=2)
