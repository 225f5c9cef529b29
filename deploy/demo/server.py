"""The demo's nissad: starts it, starts it again when it was killed, asks its pages."""
import json
import subprocess
import sys
import time
import urllib.request

import children


class Server:
    def __init__(self, program, config, log, pid_file, admin_port):
        self.program, self.config, self.log_file, self.pid_file = program, config, log, pid_file
        self.admin = f"http://127.0.0.1:{admin_port}"
        self.process = None
        self.killed = 0

    def start(self, ready_within=30):
        with open(self.log_file, "ab") as log:
            self.process = children.start([self.program, "--config", self.config], stdout=log, stderr=subprocess.STDOUT)
        self.pid_file.write_text(f"{self.process.pid}\n")
        deadline = time.monotonic() + ready_within
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("/readyz")
                return True
            except OSError:
                time.sleep(0.1)
        said = self.log_file.read_text(errors="replace").splitlines()[-8:]
        print("nissad did not start; the end of its log:\n  " + "\n  ".join(said), file=sys.stderr)
        return False

    def keep_alive(self):
        """False if it has ended otherwise than by kill -9; after that it is started again."""
        if self.process.poll() is None:
            return True
        if self.process.returncode != -9:
            print(f"nissad has ended with {self.process.returncode}; its log: {self.log_file}", file=sys.stderr)
            return False
        self.killed += 1
        print("  nissad was killed (signal 9). The agents keep what is not acknowledged; it starts again in 2 s")
        time.sleep(2)
        if not self.start():
            return False
        print(f"  nissad is back, with process id {self.process.pid}")
        return True

    def get(self, path):
        with urllib.request.urlopen(self.admin + path, timeout=3) as answer:
            return answer.read().decode()

    def slo(self, name):
        return json.loads(self.get(f"/api/v2/slos/{name}"))

    def table(self):
        """The budgets, a line an SLO."""
        try:
            slos = json.loads(self.get("/api/v2/slos"))["slos"]
        except OSError:
            return "  (nissad does not answer)"
        lines = [f"  {time.strftime('%H:%M:%S'):24}{'state':>10} {'burn 5m':>9} {'burn 1h':>9} {'budget left':>12} {'events':>9}"]
        for slo in slos:
            burn = {one["window"]: number(one["burn_rate"], "") for one in slo["windows"]}
            left = slo["budget"]["remaining"]
            left = number(None if left is None else 100 * left, " %")
            lines.append(f"  {slo['name']:24}{slo['state']:>10} {burn['5m']:>9} {burn['1h']:>9} {left:>12}"
                         f" {slo['lifetime']['total']:>9}")
        return "\n".join(lines)


def number(value, unit):
    return "-" if value is None else f"{value:.2f}{unit}"
