"""Starts the real nissad on free ports, asks its pages, stops or kills it."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("NISSA_BUILD", ROOT / "build"))
PROGRAMS = BUILD / "src"

SHOP_AVAILABILITY = """
[[slo]]
name = "shop-availability"
service = "shop"
sli = "availability"
objective = "99 %"
"""

TWO_SLOS = """
[[slo]]
name = "shop-availability"
service = "shop"
sli = "availability"
objective = "99.9 %"

[[slo]]
name = "shop-latency"
service = "shop"
operation = "GET *"
sli = "latency"
threshold = "300ms"
objective = "99 %"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Pages:
    """A server's pages, whoever started it."""

    def __init__(self, admin_port):
        self.admin_port = admin_port

    def log_text(self):
        return "(its log is not ours)"

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as answer:
            return answer.read().decode()

    def page(self, path):
        """Status and text, whatever the status."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metrics(self):
        """name{labels} → value, labels in the order of the page."""
        samples = {}
        for line in self.get("/metrics").splitlines():
            if line and not line.startswith("#"):
                match = re.match(r"^([a-zA-Z_:][^ {]*(?:\{.*\})?) (\S+)$", line)
                samples[match.group(1)] = float(match.group(2))
        return samples


class Nissad(Pages):
    """One server with a state directory of its own, which outlives kill() and start(). `under` is the command that
    starts it, such as prlimit with its options."""

    def __init__(self, slos=TWO_SLOS, more="", under=()):
        self.under = under
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nissa-e2e-"))
        self.tcp_port, self.http_port, self.admin_port = free_port(), free_port(), free_port()
        self.config = self.folder / "nissa.toml"
        self.configure(slos, more)
        self.log = open(self.folder / "log", "ab")
        self.process = None

    def configure(self, slos, more=""):
        """Counts from the next start."""
        self.config.write_text(
            f'state_dir = "{self.folder}/state"\n[listen]\ntcp = "127.0.0.1:{self.tcp_port}"\n'
            f'http = "127.0.0.1:{self.http_port}"\nadmin = "127.0.0.1:{self.admin_port}"\n{more}\n{slos}')

    def start(self, ready_within=20):
        self.launch()
        return self.await_ready(ready_within)

    def launch(self):
        self.process = subprocess.Popen([*self.under, PROGRAMS / "nissad", "--config", self.config],
                                        stderr=self.log, stdout=self.log)

    def await_ready(self, within=20):
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"nissad ended with {self.process.returncode}: {self.log_text()[-2000:]}")
            try:
                self.get("/readyz")
                return self
            except (OSError, urllib.error.URLError):
                time.sleep(0.02)
        raise AssertionError("nissad is not ready: " + self.log_text()[-2000:])

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"kept for a look: {self.folder}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, within=30):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within)

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")

    def json(self, path):
        return json.loads(self.get(path))

    def slo(self, name):
        return self.json(f"/api/v2/slos/{name}")

    def window(self, name, window):
        return next(one for one in self.slo(name)["windows"] if one["window"] == window)


def total(samples, name, **labels):
    """The sum of all samples of a family that bear these labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(value for sample, value in samples.items()
               if sample.split("{")[0] == name and all(one in sample for one in wanted))


def check_books(nissad):
    """The books balance, per class, once nothing is under way. Used at the end of every end-to-end test in which a server
    runs then. Exempt are those in which none does: first_flow_test's wrong configuration and operation_test's folder
    that is no state start none, and quickstart_test's runs end with their server stopped or killed, so they are checked
    while it runs, where they stop before their end; the others' books are the quickstart's own count, line by line."""
    deadline = time.monotonic() + 10
    while total(samples := nissad.metrics(), "nissa_ingest_in_flight_batches") > 0 and time.monotonic() < deadline:
        time.sleep(0.05)
    for name in ("low", "normal", "high", "critical"):
        received = total(samples, "nissa_ingest_received_batches_total", **{"class": name})
        answered = total(samples, "nissa_ingest_batches_total", **{"class": name})
        in_flight = total(samples, "nissa_ingest_in_flight_batches", **{"class": name})
        assert received == answered + in_flight, f"{name}: {received} received, {answered} answered, {in_flight} in flight"
        counted = total(samples, "nissa_ingest_counted_batch_events_total", **{"class": name})
        results = total(samples, "nissa_ingest_events_total", **{"class": name})
        assert counted == results, f"{name}: {counted} events in counted batches, {results} accepted, late or rejected"
    assert total(samples, "nissa_violations_total") == 0, "a violation was reported: " + nissad.log_text()[-2000:]
    return samples
