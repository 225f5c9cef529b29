"""An agent of the tests: speaks the protocol byte by byte, so that tests can also speak it wrongly."""
import importlib
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from .nissad import ROOT


def _generated():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nissa-pb-"))
    subprocess.run(["protoc", f"--proto_path={ROOT}/proto", f"--python_out={folder}", "nissa.proto"], check=True)
    sys.path.insert(0, str(folder))
    return importlib.import_module("nissa_pb2")


pb = _generated()


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def framed(kind, message):
    frame = pb.ClientFrame()
    getattr(frame, kind).CopyFrom(message)
    body = frame.SerializeToString()
    return varint(len(body)) + body


class Agent:
    """One epoch, one connection at a time. Its clock is `ahead_ns` ahead of the true one."""

    def __init__(self, port, epoch=None, name="test", ahead_ns=0):
        self.port, self.name, self.ahead_ns = port, name, ahead_ns
        self.epoch = epoch or struct.unpack("<Q", os.urandom(8))[0] | 1
        self.sequence = 0
        self.seen = None
        self.socket = None
        self.unread = b""

    def clock_ns(self):
        return time.time_ns() + self.ahead_ns

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        self.send("hello", pb.Hello(protocol=2, epoch=self.epoch, agent=self.name, sent_at_unix_ns=self.clock_ns()))
        self.hello = self.read().hello_ack
        if self.seen is None:
            self.seen = self.hello.now
        return self

    def close(self):
        self.socket.close()

    def send(self, kind, message):
        self.socket.sendall(framed(kind, message))

    def send_raw(self, data):
        self.socket.sendall(data)

    def batch(self, events, priority=None, sequence=None, settled_below=1):
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        batch = pb.TelemetryBatch(epoch=self.epoch, priority=priority or pb.NORMAL, sequence=sequence,
                                  settled_below=settled_below, event_count=len(events),
                                  sent_at_unix_ns=self.clock_ns(), agent=self.name)
        batch.epoch_seen.CopyFrom(self.seen)
        batch.events.extend(events)
        return batch

    def read(self):
        """The next ServerFrame; EOFError when the server closed."""
        while True:
            frame = self._take()
            if frame is not None:
                return frame
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.unread += data

    def _take(self):
        size, shift, at = 0, 0, 0
        while True:
            if at == len(self.unread):
                return None
            byte = self.unread[at]
            size |= (byte & 0x7F) << shift
            shift += 7
            at += 1
            if byte < 0x80:
                break
        if len(self.unread) < at + size:
            return None
        frame = pb.ServerFrame.FromString(self.unread[at:at + size])
        self.unread = self.unread[at + size:]
        return frame

    def ask(self, batch):
        """Sends one batch and reads its ack."""
        self.send("batch", batch)
        return self.read().ack


class AgentTest(unittest.TestCase):
    def agent(self, nissad):
        """One that is connected, and closed with the test."""
        agent = Agent(nissad.tcp_port).connect()
        self.addCleanup(agent.close)
        return agent


def event(service="shop", operation="GET /", outcome=0, duration_ms=10, when_ns=None, labels=()):
    made = pb.TelemetryEvent(time_unix_ns=time.time_ns() if when_ns is None else when_ns,
                             duration_ns=int(duration_ms * 1e6), outcome=outcome, service=service, operation=operation)
    for key, value in labels:
        made.labels.add(key=key, value=value)
    return made
