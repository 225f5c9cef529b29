#!/usr/bin/python3
"""The access log of a demo shop, in the log_format that nissa-send documents, on standard output.

First the last hours of a healthy service in one go, then live traffic whose checkout begins to fail: a budget that
visibly burns. Options: --hours N of history (6), --rate N requests a second live (40), --seconds N of live traffic (0: until stopped).
"""
import argparse
import random
import sys
import time

PATHS = [("GET", "/"), ("GET", "/search?q=tea"), ("GET", "/product/{}"), ("POST", "/cart"), ("POST", "/checkout")]
WEIGHTS = [30, 25, 30, 10, 5]


def line(when, failing, rng):
    method, path = rng.choices(PATHS, WEIGHTS)[0]
    path = path.format(rng.randrange(1, 5000))
    seconds = rng.lognormvariate(-2.6, 0.7)
    status = 200 if rng.random() > 0.0003 else 502
    if rng.random() < 0.01:
        status = 404
    if failing and path == "/checkout":
        if rng.random() < failing:
            status, seconds = rng.choice([(503, 0.02), (504, 5.0)])
        else:
            seconds *= 1 + 4 * failing
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S", time.gmtime(when))
    return (f'192.0.2.{rng.randrange(1, 255)} - - [{stamp} +0000] "{method} {path} HTTP/1.1" {status} '
            f'{rng.randrange(200, 20000)} "-" "demo" rt={seconds:.3f}\n')


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--hours", type=float, default=6)
    options.add_argument("--rate", type=float, default=40)
    options.add_argument("--seconds", type=float, default=0)
    chosen = options.parse_args()
    rng = random.Random(7)
    start = time.time()
    when = start - chosen.hours * 3600
    while when < start:
        sys.stdout.write(line(when, 0, rng))
        when += rng.expovariate(5)
    sys.stdout.flush()
    while not chosen.seconds or time.time() - start < chosen.seconds:
        now = time.time()
        failing = min(0.6, max(0.0, (now - start - 10) / 50))
        for _ in range(max(1, int(chosen.rate / 10))):
            sys.stdout.write(line(now, failing, rng))
        sys.stdout.flush()
        time.sleep(0.1)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()
