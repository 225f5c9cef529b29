"""HTTP byte by byte, so that tests can also speak it wrongly."""
import json
import socket
import time

ONE_EVENT = b'{"events":[{"service":"shop"}]}'


def request(body=b"", *headers, path="/v2/telemetry", method="POST", kind="application/json", length=None):
    """A request of a batch; `length`: what Content-Length says, None for what is true, "" for no such header."""
    lines = [f"{method} {path} HTTP/1.1", "Host: nissa", f"Content-Type: {kind}", *headers]
    if length != "":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Raw:
    """One connection."""

    def __init__(self, port, source=None, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def say(self, data):
        self.socket.sendall(data)
        return self

    def _until(self, enough):
        while (end := enough()) is None:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(self.unread)
            self.unread += piece
        taken, self.unread = self.unread[:end], self.unread[end:]
        return taken

    def hear(self):
        """The next response's status and body, JSON undone. EOFError: closed; TimeoutError: nothing came."""
        at = lambda: (self.unread.find(b"\r\n\r\n") + 4) if b"\r\n\r\n" in self.unread else None
        head = self._until(at).decode()
        status = int(head.split(" ", 2)[1])
        if status == 100:
            return status, b""
        size = int(head.lower().split("content-length: ", 1)[1].split("\r\n", 1)[0])
        body = self._until(lambda: size if len(self.unread) >= size else None)
        return status, json.loads(body) if "application/json" in head else body

    def ask(self, data):
        return self.say(data).hear()

    def closed_within(self, seconds):
        """Reads on until the server closes; how long that took, or None."""
        begun = time.monotonic()
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return None
        except ConnectionError:
            pass
        return time.monotonic() - begun

    def close(self):
        self.socket.close()


def until(true, within=10):
    """Waits for what another process is about to do; what it was in the end."""
    deadline = time.monotonic() + within
    while not (said := true()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return said
