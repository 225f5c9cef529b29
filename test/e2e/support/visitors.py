"""Load on an nginx: visitors who ask again and again, some of whom leave before the answer."""
import http.client
import random
import socket
import threading

# path → weight. /leave is /slow by someone who does not wait: nginx logs 499.
MIX = {"/": 40, "/orders/{}": 40, "/missing": 8, "/fail": 8, "/slow": 2, "/leave": 1, "/hang": 1}


class Visitors:
    """`with` it, they ask; at its end each has its last answer."""

    def __init__(self, port, count=6, seed=1):
        self.port = port
        self.asked = 0  # each of them is a line in nginx's log
        self.counting = threading.Lock()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._visit, args=(random.Random(seed * 100 + one),)) for one in range(count)]

    def __enter__(self):
        for one in self.threads:
            one.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for one in self.threads:
            one.join()

    def _visit(self, rng):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        paths, weights = list(MIX), list(MIX.values())
        while not self.stop.wait(rng.expovariate(60)):
            path = rng.choices(paths, weights)[0]
            if path == "/leave":
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as hasty:
                    hasty.sendall(b"GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
                    self._count()
                    self.stop.wait(0.05)
                continue
            try:
                connection.request("GET", path.format(rng.randrange(1, 5000)))
                self._count()
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()  # the next request connects again
        connection.close()

    def _count(self):
        with self.counting:
            self.asked += 1
