#!/usr/bin/python3
"""T11, a lossy network: three scripted agents over TCP, one over HTTP, nissa-send and nissa-load, all through a proxy that
drops answers and requests, repeats frames, cuts at random bytes, passes slices of 1 to 7 bytes, delays, and is slow; all
at once, and for a while each of them harder. Counts are exact once all is settled, which must come although nothing
gets better, and no batch is sent again without end.

8 s of it, with --full 5 min."""
import collections
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import pb  # noqa: E402
from support.fault_proxy import Faults, FaultProxy  # noqa: E402
from support.nissad import PROGRAMS, Nissad, check_books  # noqa: E402
from support.scenario import (Chosen, availability, check_alive, check_between, check_buckets, check_totals,  # noqa: E402
                              counters_of, inspected, report, settle)
from support.sender import HttpSender, TcpSender  # noqa: E402

# A connection passes some answers before it ends, whatever else befalls it: else nothing is ever settled.
UP = Faults(cut=(20_000, 200_000), swallow=(40_000, 400_000), delay=(0, 0.01), slices=(1, 7), rate=200_000, duplicate=0.1)
DOWN = Faults(cut=(500, 20_000), swallow=(1_000, 40_000), delay=(0, 0.01), slices=(1, 7), rate=100_000, duplicate=0.1)
HTTP_UP = Faults(cut=(2_000, 20_000), swallow=(2_000, 40_000), delay=(0, 0.01), slices=(1, 7))
HTTP_DOWN = Faults(cut=(300, 3_000), swallow=(300, 6_000), delay=(0, 0.01), slices=(1, 7))
MOST_SENDINGS = 100  # of one batch; some dozens were seen


class Lines(threading.Thread):
    """nissa-send, which reads a line an event as long as the scenario feeds it."""

    def __init__(self, port, rng):
        super().__init__(daemon=True)
        self.rng, self.stopping, self.sent = rng, False, collections.Counter()
        self.process = subprocess.Popen([PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{port}", "--drain", "300", "--agent", "lines"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self):
        while not self.stopping:
            for _ in range(self.rng.randrange(1, 50)):
                seconds, good = int(time.time()) - self.rng.randrange(0, 120), self.rng.random() < 0.9
                self.process.stdin.write(json.dumps({"time": seconds, "service": "lines", "outcome": "OK" if good else "ERROR"}) + "\n")
                self.sent.update({(seconds // 10, "good"): int(good), (seconds // 10, "total"): 1})
            self.process.stdin.flush()
            time.sleep(0.05)

    def end(self):
        """Its summary."""
        self.stopping = True
        self.join()
        said, trouble = self.process.communicate(timeout=360)
        assert self.process.returncode == 0, f"nissa-send ended with {self.process.returncode}: {said}{trouble}"
        return said.strip().removeprefix("nissa-send: ")


def main():
    chosen = Chosen("T11", __doc__)
    rng, seconds = chosen.random, 300 if chosen.full else 8
    names = ["tcp-0", "tcp-1", "tcp-2", "http"]
    shape = ["--services", "10", "--slos", "2", "--series", "200", "--batch", "20"]
    of_load = subprocess.run([PROGRAMS / "nissa-load", "--print-config", *shape], check=True, text=True, capture_output=True).stdout
    with Nissad(slos="".join(map(availability, [*names, "lines"])) + of_load) as nissad:
        tcp = FaultProxy(nissad.tcp_port, rng.random(), UP, DOWN)
        http = FaultProxy(nissad.http_port, rng.random(), HTTP_UP, HTTP_DOWN)
        senders = [TcpSender(name, tcp.port, rng.random(), klass=klass, most_open=30, pause_s=0.01)
                   for name, klass in zip(names, (pb.NORMAL, pb.HIGH, pb.CRITICAL))]
        senders.append(HttpSender("http", http.port, rng.random(), pause_s=0.01))
        lines = Lines(tcp.port, rng)
        load = subprocess.Popen([PROGRAMS / "nissa-load", "--server", f"127.0.0.1:{tcp.port}", "--admin", f"127.0.0.1:{nissad.admin_port}",
                                 *shape, "--connections", "4", "--depth", "16", "--rate", "2000", "--warmup", "0", "--seconds",
                                 str(seconds), "--drain", "120"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for one in [*senders, lines]:
            one.start()
        harder = [(UP, DOWN),
                  (Faults(cut=(20_000, 40_000), duplicate=0.5), Faults(cut=(500, 3_000), duplicate=0.5)),
                  (Faults(swallow=(20_000, 40_000), slices=(1, 7)), Faults(swallow=(500, 5_000), slices=(1, 7), rate=50_000)),
                  (UP, DOWN)]
        for tcp.up, tcp.down in harder:
            for _ in range(5):
                time.sleep(seconds / len(harder) / 5)
                check_totals(nissad, senders)
                check_alive(senders)
        settle(senders, within=180)
        summary = lines.end()
        loaded = load.communicate(timeout=240)[0]
        assert load.returncode == 0, f"nissa-load ended with {load.returncode}: {loaded}"
        check_books(nissad)
        buckets = check_buckets(nissad, senders)
        counted = next(counters_of(slo) for slo in inspected(nissad)["slos"] if slo["name"] == "lines")
        buckets += check_between("nissa-send", lines.sent, counted, lines.sent)
        report(senders)
        print(f"  nissa-send: {summary}")
        print("  nissa-load: " + "; ".join(re.findall(r"^(?:books|sent|batches|answers|connections).*$", loaded, re.M)))
        print(f"  the proxies: {dict(tcp.done)}, over HTTP {dict(http.done)}")
        for sender in senders:
            assert sender.most_sendings <= MOST_SENDINGS, f"{sender.service} sent one batch {sender.most_sendings} times"
            assert sender.told["DUPLICATE"], f"{sender.service}: no answer was lost"
        for proxy, kinds in ((tcp, ("cut", "swallowed", "duplicated")), (http, ("cut", "swallowed"))):
            assert all(proxy.done[kind] for kind in kinds), "a fault did not happen"
        resent, lost = map(int, re.search(r"(\d+) batch(?:es)? resent, (\d+) connections? lost", summary).groups())
        assert resent <= 256 * lost, f"nissa-send sent {resent} batches again for {lost} lost connections"
        chosen.holds(f"{tcp.done['cut'] + http.done['cut']} connections cut, {buckets} buckets compared")


if __name__ == "__main__":
    main()
