#!/usr/bin/python3
"""What Nissa costs from outside: the real nissad as shipped, fed by nissa-load over loopback on a real disk.

end_to_end.py NISSAD NISSA_LOAD FOLDER [--seconds N] [--runs N] [--cell NAME]...
FOLDER lies on the disk whose fsync is part of the answer. Every run must balance: counted = sent, and the totals of the
SLOs agree with what the generator sent; else the benchmark fails. Prints a table and lines `figure NAME VALUE UNIT`:
medians of the runs. NISSA_BENCH_SECONDS and NISSA_BENCH_RUNS change the short form (5 s, 3 runs); the figures in
docs/performance.md are of 60 s, which is long enough for several snapshots.
"""
import argparse
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request

# Events of about 107 bytes, two SLOs each; the headline cell has 170 bytes, four SLOs and times shuffled in a minute.
PLAIN = ["--slos", "2", "--labels", "2", "--series", "10000", "--disorder", "sorted"]
HEADLINE = ["--slos", "4", "--labels", "5", "--series", "10000", "--disorder", "shuffled"]
CELLS = {
    "1000": ["--batch", "1000", "--connections", "16", "--depth", "16", *PLAIN],
    "100": ["--batch", "100", "--connections", "64", "--depth", "16", *PLAIN],
    "100_headline": ["--batch", "100", "--connections", "64", "--depth", "16", *HEADLINE],
    "10": ["--batch", "10", "--connections", "64", "--depth", "64", "--one-by-one", *PLAIN],
    "10_coalesced": ["--batch", "10", "--connections", "64", "--depth", "64", *PLAIN],
    "1": ["--batch", "1", "--connections", "64", "--depth", "64", "--one-by-one", *PLAIN],
    "http_1000": ["--door", "http", "--batch", "1000", "--connections", "16", "--depth", "1", *PLAIN],
    "http_100": ["--door", "http", "--batch", "100", "--connections", "64", "--depth", "1", *PLAIN],
    "http_json_100": ["--door", "http-json", "--batch", "100", "--connections", "64", "--depth", "1", *PLAIN],
    # 2 500 services with four SLOs each.
    "10000_slos": ["--batch", "1000", "--connections", "16", "--depth", "16", "--services", "2500", "--slos", "4", "--labels",
                   "2", "--series", "10000", "--disorder", "sorted"],
    "1_coalesced": ["--batch", "1", "--connections", "64", "--depth", "64", *PLAIN],
}
# A snapshot is always under way.
CONFIGURED = {"10000_slos": '[journal]\nsnapshot_interval = "1s"\n'}
ACKNOWLEDGED = {"1000": "", "10000_slos": "_10000_slos"}  # at half of the rate; how the figures are told apart


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fsync_ms(folder, count=400):
    """A small append and its fdatasync, one after the other: what a commit cannot be faster than."""
    took = []
    with open(folder / "fsync", "wb", buffering=0) as file:
        for _ in range(count):
            begin = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - begin))
    took.sort()
    return took[count // 2], took[count * 99 // 100]


def one_run(nissad, load, folder, arguments, seconds, more):
    """The generator's figures, by name; `more` of configuration."""
    state = pathlib.Path(tempfile.mkdtemp(prefix="nissa-bench-", dir=folder))
    tcp, http, admin = free_port(), free_port(), free_port()
    slos = subprocess.run([load, "--print-config", *arguments], capture_output=True, text=True, check=True).stdout
    config = state / "nissa.toml"
    config.write_text(f'state_dir = "{state}/state"\n[listen]\ntcp = "127.0.0.1:{tcp}"\nhttp = "127.0.0.1:{http}"\nadmin = "127.0.0.1:{admin}"\n{more}\n{slos}')
    log = open(state / "log", "wb")
    server = subprocess.Popen([nissad, "--config", config], stderr=log, stdout=log)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=2)
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("nissad is not ready: " + (state / "log").read_text())
                time.sleep(0.05)
        door = http if "--door" in arguments else tcp
        run = subprocess.run([load, "--server", f"127.0.0.1:{door}", "--admin", f"127.0.0.1:{admin}", "--pid",
                              str(server.pid), "--seconds", str(seconds), *arguments], capture_output=True, text=True)
        if run.returncode != 0:
            raise SystemExit(f"the books do not agree:\n{run.stdout}{run.stderr}")
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as page:
            snapshots = re.search(r"^nissa_ledger_snapshots_total (\d+)", page.read().decode(), re.M).group(1)
        return {"snapshots": int(snapshots)} | {
            name: float(value) for name, value in re.findall(r"^figure (\S+) (\S+)", run.stdout, re.M)}
    finally:
        server.terminate()
        server.wait(30)
        log.close()
        shutil.rmtree(state, ignore_errors=True)


def cell(options, name, *more):
    runs = [one_run(options.nissad, options.load, options.folder, [*CELLS[name], *more], options.seconds, CONFIGURED.get(name, ""))
            for _ in range(options.runs)]
    by_prefix = {}
    for run in runs:
        for name, value in run.items():
            by_prefix.setdefault(re.sub(r"_batch_\d+$", "", name), []).append(value)
    return by_prefix


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nissad")
    parser.add_argument("load")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=int(os.environ.get("NISSA_BENCH_SECONDS", "5")))
    parser.add_argument("--runs", type=int, default=int(os.environ.get("NISSA_BENCH_RUNS", "3")))
    parser.add_argument("--cell", action="append", choices=list(CELLS))
    options = parser.parse_args()

    p50, p99 = fsync_ms(options.folder)
    print(f"fsync of this disk: p50 {p50:.2f} ms, p99 {p99:.2f} ms; {options.runs} runs of {options.seconds} s, median (least - most)")
    print(f"figure fsync_p50_ms {p50:.2f} ms\nfigure fsync_p99_ms {p99:.2f} ms", flush=True)
    for name in options.cell or CELLS:
        by_prefix = cell(options, name)
        middle = {figure: statistics.median(values) for figure, values in by_prefix.items()}
        cost, rate = by_prefix["cpu_s_per_million"], by_prefix["events_per_second"]
        print(f"batch {name}: {' '.join(CELLS[name])}")
        print(f"  {middle['cpu_s_per_million']:.4f} ({min(cost):.4f} - {max(cost):.4f}) CPU-s a million, "
              f"{middle['events_per_second'] / 1e6:.2f} ({min(rate) / 1e6:.2f} - {max(rate) / 1e6:.2f}) million events/s, "
              f"RSS {middle['rss_mb']:.0f} MB")
        print(f"figure cpu_s_per_million_batch_{name} {middle['cpu_s_per_million']:.4f} s")
        print(f"figure events_per_second_batch_{name} {middle['events_per_second']:.0f} events/s", flush=True)
        if name not in ACKNOWLEDGED:
            continue
        half = int(middle["events_per_second"] / 2)
        latency = cell(options, name, "--rate", str(half))
        middle = {figure: statistics.median(values) for figure, values in latency.items()}
        print(f"  at half of that, {half} events/s: acknowledged p50 {middle['ack_p50_ms']:.2f}, p99 {middle['ack_p99_ms']:.2f}, "
              f"p99.9 {middle['ack_p999_ms']:.2f} ms; {middle['snapshots']:.0f} snapshots meanwhile")
        for figure in ("ack_p50_ms", "ack_p99_ms", "ack_p999_ms"):
            print(f"figure {figure}{ACKNOWLEDGED[name]} {middle[figure]:.2f} ms")
        print(f"figure rss_mb{ACKNOWLEDGED[name]} {middle['rss_mb']:.1f} MB", flush=True)


if __name__ == "__main__":
    main()
