#!/usr/bin/python3
"""A TCP proxy that is a bad network. By hand:

    test/support/fault_proxy.py --to 127.0.0.1:7440 --listen 7540 --up slices=1-7,duplicate=0.05 --down cut=200-20000

`up` is what agents send, `down` what the server says. The faults of a direction, in any combination:

    cut=200-20000      a connection ends after so many bytes, drawn anew for each: these arrive, the next one does not,
                       in the middle of a frame if it falls so
    swallow=200-20000  after so many bytes all that follows is lost, while the connection seems to stand; cut after 0.5 s
    delay=0.01-0.2     seconds that what one read gave waits, and all behind it
    slices=1-7         bytes of a piece, each a write of its own; else what one read gave
    rate=10000         bytes a second
    duplicate=0.05     the part of the frames (a varint length and so many bytes) that go twice; not the first, Hello

A line `up ...` or `down ...` on standard input replaces the faults of that direction, on open connections too; but
frames are told apart only on those that began with `duplicate`. --seed repeats the choices of each connection, not
their timing."""
import argparse
import collections
import dataclasses
import random
import socket
import sys
import threading
import time

SWALLOWS_FOR_S = 0.5


@dataclasses.dataclass(frozen=True)
class Faults:
    """Of one direction. Ranges are (least, most)."""
    cut: tuple = None
    swallow: tuple = None
    delay: tuple = None
    slices: tuple = None
    rate: float = None
    duplicate: float = 0

    @classmethod
    def of_text(cls, text):
        found = {}
        for one in filter(None, text.split(",")):
            name, _, value = one.partition("=")
            if name not in cls.__dataclass_fields__:
                raise ValueError(f"no fault is called {name}; there are: {', '.join(cls.__dataclass_fields__)}")
            number = float if name in ("delay", "rate", "duplicate") else int
            found[name] = tuple(map(number, value.split("-"))) if name in ("cut", "swallow", "delay", "slices") else number(value)
        return cls(**found)


class FaultProxy:
    """Listens on `port` from the start. `up` and `down` may be replaced at any time; `done` counts what was done:
    connections, cut, swallowed (bytes), duplicated (frames)."""

    def __init__(self, to, seed, up=Faults(), down=Faults(), listen=0):
        self.to = to if isinstance(to, tuple) else ("127.0.0.1", to)
        self.seed, self.up, self.down = seed, up, down
        self.done = collections.Counter()
        self.counting = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", listen))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def count(self, what, number=1):
        with self.counting:
            self.done[what] += number

    def _accept(self):
        number = 0
        while True:
            try:
                agent, _ = self.listener.accept()
            except OSError:
                return
            number += 1
            self.count("connections")
            threading.Thread(target=self._serve, args=(agent, number), daemon=True).start()

    def _serve(self, agent, number):
        try:
            server = socket.create_connection(self.to, timeout=5)
            server.settimeout(None)
        except OSError:
            agent.close()
            return
        for one in (agent, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up, down = (Direction(self, name, random.Random(f"{self.seed}/{number}/{name}")) for name in ("up", "down"))
        back = threading.Thread(target=down.pump, args=(server, agent), daemon=True)
        back.start()
        up.pump(agent, server)
        back.join()
        agent.close()
        server.close()


class Direction:
    """Of one connection."""

    def __init__(self, proxy, name, rng):
        self.proxy, self.name, self.random = proxy, name, rng
        self.faults = None
        self.framed = getattr(proxy, name).duplicate > 0
        self.unfinished = b""  # the begin of a frame
        self.first = True

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                self._look()
                if self.faults.delay:
                    time.sleep(self.random.uniform(*self.faults.delay))
                for piece in self._pieces(self._duplicated(data)):
                    self._look()
                    if not self._pass(piece, source, sink):
                        self.proxy.count("cut")
                        break
                else:
                    continue
                break
            else:
                sink.sendall(self.unfinished)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _look(self):
        """The faults may have been replaced: then what is left until a cut is drawn anew."""
        now = getattr(self.proxy, self.name)
        if now is not self.faults:
            self.faults = now
            self.until_cut, self.until_swallow = (self.random.randint(*one) if one else float("inf") for one in (now.cut, now.swallow))

    def _duplicated(self, data):
        if not self.framed:
            return data
        self.unfinished += data
        out = bytearray()
        while size := frame_size(self.unfinished):
            frame, self.unfinished = self.unfinished[:size], self.unfinished[size:]
            out += frame
            if not self.first and self.random.random() < self.faults.duplicate:
                out += frame
                self.proxy.count("duplicated")
            self.first = False
        return bytes(out)

    def _pieces(self, data):
        at = 0
        while at < len(data):
            size = self.random.randint(*self.faults.slices) if self.faults.slices else len(data) - at
            yield data[at:at + size]
            at += size

    def _pass(self, piece, source, sink):
        """Whether the connection goes on."""
        if self.faults.rate:
            time.sleep(len(piece) / self.faults.rate)
        arrives = int(min(len(piece), self.until_cut, self.until_swallow))
        sink.sendall(piece[:arrives])
        self.until_cut -= len(piece)
        self.until_swallow -= len(piece)
        if self.until_cut <= 0:
            return False
        if self.until_swallow <= 0:
            self._swallow(source, len(piece) - arrives)
            return False
        return True

    def _swallow(self, source, swallowed):
        until = time.monotonic() + SWALLOWS_FOR_S
        try:
            while (left := until - time.monotonic()) > 0:
                source.settimeout(left)
                swallowed += len(data := source.recv(65536))
                if not data:
                    break
        except TimeoutError:
            pass
        self.proxy.count("swallowed", swallowed)


def frame_size(data):
    """Of the frame at the begin of `data`, with its length; 0 if it is not whole."""
    size = 0
    for at, byte in enumerate(data[:5]):
        size |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return at + 1 + size if len(data) > at + size else 0
    return 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--to", required=True, metavar="HOST:PORT")
    options.add_argument("--listen", type=int, default=0, metavar="PORT", help="on 127.0.0.1; absent: a free one")
    options.add_argument("--up", type=Faults.of_text, default=Faults(), metavar="FAULTS")
    options.add_argument("--down", type=Faults.of_text, default=Faults(), metavar="FAULTS")
    options.add_argument("--seed", type=int, default=random.randrange(2**32))
    chosen = options.parse_args()
    host, _, port = chosen.to.rpartition(":")
    proxy = FaultProxy((host, int(port)), chosen.seed, chosen.up, chosen.down, chosen.listen)
    print(f"127.0.0.1:{proxy.port} to {chosen.to}, seed {chosen.seed}; up ..., down ... change the faults, Ctrl-C ends", flush=True)
    try:
        for line in sys.stdin:
            direction, _, text = line.strip().partition(" ")
            try:
                if direction not in ("up", "down"):
                    raise ValueError("expected up or down, and its faults")
                setattr(proxy, direction, Faults.of_text(text.strip()))
            except (ValueError, TypeError) as wrong:
                print(wrong, flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print(dict(proxy.done))


if __name__ == "__main__":
    main()
