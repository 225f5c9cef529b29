#!/usr/bin/python3
"""The demo's visitors: ask the shop through nginx, 40 times a second, until SIGTERM; each waits for its last answer.
Options: --port N, --rate N."""
import argparse
import http.client
import random
import signal
import threading
import time

REQUESTS = [("GET", "/"), ("GET", "/search?q=tea"), ("GET", "/product/{}"), ("GET", "/wp-login.php"), ("POST", "/cart"),
            ("POST", "/checkout")]
WEIGHTS = [29, 25, 30, 1, 9, 6]
VISITORS = 8


def visit(port, rate, stop, rng):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    due = time.monotonic()
    while not stop.is_set():
        method, path = rng.choices(REQUESTS, WEIGHTS)[0]
        try:
            connection.request(method, path.format(rng.randrange(1, 5000)), body=b"tea" if method == "POST" else None)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()  # the next request connects again
        due = max(due + rng.expovariate(rate), time.monotonic() - 1)  # who is far behind does not catch up all at once
        stop.wait(max(0.0, due - time.monotonic()))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=7480)
    options.add_argument("--rate", type=float, default=40)
    chosen = options.parse_args()
    stop = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: stop.set())
    threads = [threading.Thread(target=visit, args=(chosen.port, chosen.rate / VISITORS, stop, random.Random(seed)))
               for seed in range(VISITORS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


if __name__ == "__main__":
    main()
