#!/usr/bin/python3
"""What a backup costs those who send meanwhile: a state of some hundred MiB under load, and one agent that sends a batch,
waits for its acknowledgement, and sends the next, with and without backups. State and backups lie on one disk (TMPDIR).

Prints a line for each, and lines `figure NAME VALUE UNIT`. NISSA_BENCH_MIB: how large the state is to be (300)."""
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import Agent, event, pb  # noqa: E402
from support.nissad import PROGRAMS, SHOP_AVAILABILITY, Nissad  # noqa: E402

SHAPE = ["--services", "1000", "--slos", "8", "--series", "20000", "--batch", "100"]
LOAD = ["--disorder", "30days", "--rate", "60000", "--connections", "4", "--warmup", "0", "--seconds", "3600", "--no-slo-check"]
# No snapshot comes, so no record goes: the state grows by them.
MORE = '[journal]\nbackup_directory = "{}/backups"\nsnapshot_interval = "1h"\nsnapshot_after = "16 GiB"\n'
BACKUPS, PAUSE_S = 3, 10


class Prober(threading.Thread):
    def __init__(self, nissad):
        super().__init__(daemon=True)
        self.agent = Agent(nissad.tcp_port, name="prober").connect()
        self.over = False
        self.waits = []  # (when it was sent, for how long it waited), in seconds

    def run(self):
        while not self.over:
            sent = time.monotonic()
            batch = self.agent.batch([event()], settled_below=self.agent.sequence + 1)
            assert self.agent.ask(batch).status == pb.Ack.COUNTED
            self.waits.append((sent, time.monotonic() - sent))
            time.sleep(0.005)

    def between(self, begin, end):
        """In ms, of those that waited in this time."""
        return [wait * 1e3 for sent, wait in list(self.waits) if sent + wait >= begin and sent <= end]


def mebibytes(nissad):
    return nissad.metrics()['nissa_journal_bytes{file="database"}'] / 2**20


def report(what, waits):
    waits = sorted(waits)
    print(f"{what}: {len(waits)} acknowledgements, p50 {statistics.median(waits):.1f}, p99 {waits[int(len(waits) * 0.99)]:.1f}, "
          f"longest {waits[-1]:.1f} ms", flush=True)


def back_up(nissad, prober):
    begin = time.monotonic()
    made = subprocess.run(["curl", "-fsS", "-X", "POST", "-H", "Content-Type: application/json", "-d", "{}",
                           f"http://127.0.0.1:{nissad.admin_port}/api/v2/backup"], check=True, capture_output=True, text=True)
    waits = prober.between(begin, time.monotonic())
    print(made.stdout.strip())
    report("  during it", waits)
    return waits, time.monotonic() - begin


def main():
    wanted = float(os.environ.get("NISSA_BENCH_MIB", 300))
    slos = subprocess.run([PROGRAMS / "nissa-load", "--print-config", *SHAPE], check=True, capture_output=True, text=True).stdout
    nissad = Nissad(slos + SHOP_AVAILABILITY)
    nissad.configure(slos + SHOP_AVAILABILITY, MORE.format(nissad.folder))
    with nissad:
        load = subprocess.Popen([PROGRAMS / "nissa-load", "--server", f"127.0.0.1:{nissad.tcp_port}", "--admin",
                                 f"127.0.0.1:{nissad.admin_port}", *SHAPE, *LOAD], stdout=subprocess.DEVNULL)
        try:
            prober = Prober(nissad)
            prober.start()
            while mebibytes(nissad) < wanted:
                time.sleep(1)
            during, without, took = [], [], []
            for _ in range(BACKUPS):
                begin = time.monotonic()
                time.sleep(PAUSE_S)
                without += prober.between(begin, time.monotonic())
                waits, seconds = back_up(nissad, prober)
                during += waits
                took.append(seconds)
            report("all without", without)
            report("all during", during)
            print(f"figure backup_seconds {statistics.median(took):.1f} s")
            for name, waits in (("without", without), ("during", during)):
                print(f"figure ack_{name}_backup_p50 {statistics.median(waits):.1f} ms")
                print(f"figure ack_{name}_backup_longest {max(waits):.1f} ms")
            prober.over = True
            prober.join()
        finally:
            load.kill()
            load.wait()


if __name__ == "__main__":
    main()
