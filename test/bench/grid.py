#!/usr/bin/python3
"""The grid: what an event costs as its batch, its connections and its shape change. Prints a table in Markdown.

grid.py NISSAD NISSA_LOAD FOLDER [--full] [--seconds N]
The short form turns one axis at a time, from the middle cell: batches of 100 over 64 connections, 10 000 series, 4 SLOs
an event, 5 labels, times shuffled within a minute. --full runs all 648 cells (an hour at 2 s each). Every run must
balance, or the benchmark fails. Figures of one run each: what differs by less than a tenth does not differ.
"""
import argparse
import itertools
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from end_to_end import one_run  # noqa: E402

AXES = {
    "batch": ["1", "10", "100", "1000"],
    "connections": ["1", "64", "1000"],
    "series": ["100", "10000", "1000000"],
    "slos": ["1", "4", "16"],
    "labels": ["0", "5"],
    "disorder": ["sorted", "shuffled", "30days"],
}
MIDDLE = {"batch": "100", "connections": "64", "series": "10000", "slos": "4", "labels": "5", "disorder": "shuffled"}
IN_HAND = 100_000  # events outstanding, over all connections: enough for the server never to wait


def cells(full):
    if full:
        return [dict(zip(AXES, values)) for values in itertools.product(*AXES.values())]
    turned = [{**MIDDLE, axis: value} for axis, values in AXES.items() for value in values if value != MIDDLE[axis]]
    return [MIDDLE, *turned]


def arguments(cell):
    depth = max(1, min(64, IN_HAND // (int(cell["batch"]) * int(cell["connections"]))))
    given = [f"--depth={depth}", *(word for axis, value in cell.items() for word in (f"--{axis}", value))]
    return [*given, "--one-by-one"] if int(cell["batch"]) < 100 else given


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nissad")
    parser.add_argument("load")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("NISSA_BENCH_SECONDS", "2")))
    options = parser.parse_args()
    print(f"| {' | '.join(AXES)} | CPU-s a million | million events/s | ack p99, ms | RSS, MB |")
    print("| " + " | ".join("---" for _ in range(len(AXES) + 4)) + " |", flush=True)
    figures = []
    for cell in cells(options.full):
        run = one_run(options.nissad, options.load, options.folder, arguments(cell), options.seconds)
        cost = next(value for name, value in run.items() if name.startswith("cpu_s_per_million"))
        rate = next(value for name, value in run.items() if name.startswith("events_per_second"))
        name = "_".join(f"{axis}_{value}" for axis, value in cell.items() if value != MIDDLE[axis]) or "middle"
        figures.append(f"figure cpu_s_per_million_grid_{name} {cost:.4f} s")
        shape = [f"**{value}**" if value != MIDDLE[axis] else value for axis, value in cell.items()]
        print(f"| {' | '.join(shape)} | {cost:.3f} | {rate / 1e6:.2f} | {run['ack_p99_ms']:.1f} | {run['rss_mb']:.0f} |",
              flush=True)
    print("\n".join(figures))


if __name__ == "__main__":
    main()
