"""A real Prometheus with the project's own job and rules, scraping one nissad every second."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from .nissad import ROOT, free_port


class Prometheus:
    def __init__(self, nissad):
        self.folder = tempfile.TemporaryDirectory(prefix="nissa-prometheus-")
        folder = pathlib.Path(self.folder.name)
        self.instance = f"127.0.0.1:{nissad.admin_port}"
        text = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
        text, intervals = re.subn(r"(scrape_interval|evaluation_interval): 15s", r"\1: 1s", text)
        text, targets = re.subn(r"127\.0\.0\.1:7442", self.instance, text)
        assert (intervals, targets) == (2, 1), "deploy/prometheus/prometheus.yml is not what this test takes it for"
        (folder / "prometheus.yml").write_text(text)
        shutil.copy(ROOT / "deploy/prometheus/nissa.rules.yml", folder)
        self.port = free_port()
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def get(self, path):
        """What `data` of its HTTP API is; an error of a query is an AssertionError with its text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code == 503:  # not ready yet
                raise OSError(text) from None
            raise AssertionError(f"{path}: {text}") from None

    def query(self, expression):
        """[(labels, value)]; nothing while it is not up yet."""
        try:
            found = self.get(f"query?query={urllib.parse.quote(expression)}")["result"]
        except OSError:
            return []
        return [(one["metric"], float(one["value"][1])) for one in found]

    def ask(self, expression):
        """The labels slo, verdict and window → value."""
        return {tuple(labels.get(key, "") for key in ("slo", "verdict", "window")): value
                for labels, value in self.query(expression)}

    def await_value(self, expression, key, value, within=40):
        deadline = time.monotonic() + within
        while self.ask(expression).get(key) != value:
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression}: {self.ask(expression)}; not {key} {value}")
            time.sleep(0.2)

    def await_result(self, expression, within=20):
        """The first answer that is not empty."""
        deadline = time.monotonic() + within
        while not (found := self.query(expression)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression}: no result within {within} s")
            time.sleep(0.2)
        return found
