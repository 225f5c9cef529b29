#!/usr/bin/python3
"""The demo's second service: a payments worker that writes one JSON line for each payment, 20 a second, until SIGTERM.
It stays healthy: beside a budget that burns stands one that does not. It is invented; nginx's log is real.
With --history HOURS it writes instead the past of shop and payments, both healthy, and ends."""
import argparse
import json
import random
import signal
import sys
import threading
import time

SHOP = [("GET /", 30), ("GET /search", 25), ("GET /product/:id", 30), ("POST /cart", 9), ("POST /checkout", 6)]


def line(when, service, operation, rng, typical_ms, failures):
    outcome = "ERROR" if rng.random() < failures else "OK"
    return json.dumps({"time": round(when, 3), "service": service, "operation": operation, "outcome": outcome,
                       "duration_ms": round(typical_ms * rng.lognormvariate(0, 0.5), 1)}) + "\n"


def history(hours, rng):
    end = time.time() - 1
    when = end - hours * 3600
    names, weights = zip(*SHOP)
    while when < end:
        sys.stdout.write(line(when, "shop", rng.choices(names, weights)[0], rng, 40, 0.0001))
        if rng.random() < 0.3:
            sys.stdout.write(line(when, "payments", "settle", rng, 80, 0.0001))
        when += rng.expovariate(3)


def live(rate, rng):
    stop = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: stop.set())
    while not stop.wait(rng.expovariate(rate)):
        sys.stdout.write(line(time.time(), "payments", "settle", rng, 80, 0.0001))
        sys.stdout.flush()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--history", type=float, default=0, metavar="HOURS")
    options.add_argument("--rate", type=float, default=20)
    chosen = options.parse_args()
    rng = random.Random(7)
    if chosen.history:
        history(chosen.history, rng)
    else:
        live(chosen.rate, rng)
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.stderr.close()
