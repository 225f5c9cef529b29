#!/usr/bin/python3
"""From end to end with real peers: an nginx under load, its access log through nissa-send to nissad, and Prometheus, with
the project's own job and rules, asked for the numbers. What it answers is what Python counts in the log, exactly, also
after nissad and nissa-send were killed with SIGKILL in the middle."""
import pathlib
import re
import subprocess
import sys
import time
import unittest
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.nginx import Nginx  # noqa: E402
from support.nissad import PROGRAMS, SHOP_AVAILABILITY, Nissad, check_books  # noqa: E402
from support.prometheus import Prometheus  # noqa: E402
from support.visitors import Visitors  # noqa: E402

SLOS = SHOP_AVAILABILITY + """
[[slo]]
name = "shop-latency"
service = "shop"
sli = "latency"
threshold = "300ms"
objective = "97.5 %"

[[slo]]
name = "orders"
service = "shop"
operation = "GET /orders/:id"
sli = "availability"
objective = "99.9 %"

[[slo]]
name = "broken"
service = "shop"
operation = "GET /fail"
sli = "availability"
objective = "99.99 %"

[[slo]]
name = "broken-weekly"
service = "shop"
operation = "GET /fail"
sli = "availability"
objective = "99.99 %"
period = "7d"
"""
BUDGETS = {"shop-availability": Fraction(1, 100), "shop-latency": Fraction(25, 1000), "orders": Fraction(1, 1000),
           "broken": Fraction(1, 10000)}


def counts_of(log):
    """SLO → [good, bad], from the lines of an access log alone."""
    counts = {name: [0, 0] for name in BUDGETS}
    for line in log.splitlines():
        path, status, seconds, thousandths = re.search(
            r'"GET ([^ ?"]*)[^"]*" (\d{3}) \d+ "[^"]*" "[^"]*" rt=(\d+)\.(\d{3})$', line).groups()
        failed = status >= "500"
        if status != "499":
            counts["shop-availability"][failed] += 1
            if path.startswith("/orders/"):
                counts["orders"][failed] += 1
            if path == "/fail":
                counts["broken"][failed] += 1
        if status < "400":
            counts["shop-latency"][int(seconds + thousandths) > 300] += 1
    return counts


def every_slo_has_some(log):
    return all(good or bad for good, bad in counts_of(log).values())


def statuses_of(log):
    return set(re.findall(r'" (\d{3}) ', log))


class WithRealPeers(unittest.TestCase):
    def sender(self, nissad, *options, **more):
        process = subprocess.Popen([PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{nissad.tcp_port}", "--service", "shop",
                                    "--batch-age-ms", "20", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, **more)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def await_log(self, nginx, enough):
        """Load goes on until there was enough of it. The last line may be half written."""
        deadline = time.monotonic() + 60
        while not enough("".join(re.findall(r".*\n", nginx.log_file.read_text()))):
            self.assertLess(time.monotonic(), deadline, "so much load shows not all that is asked for")
            time.sleep(0.2)

    def assert_prometheus_knows(self, prometheus, nissad, log):
        """Once all is quiet. Totals, budgets and burn rates are equal to the last digit, not nearly."""
        counts = counts_of(log)
        self.assertTrue(every_slo_has_some(log))
        for name, (good, bad) in counts.items():
            prometheus.await_value("nissa_slo_events_total", (name, "good", ""), good)
            prometheus.await_value("nissa_slo_events_total", (name, "bad", ""), bad)
            remaining = 1 - Fraction(bad, good + bad) / BUDGETS[name]
            prometheus.await_value("nissa_slo_error_budget_remaining_ratio", (name, "", ""), float(remaining), within=5)
            burns = prometheus.ask(f'nissa_slo_burn_rate{{slo="{name}"}}')
            self.assertEqual({window: value for (_, _, window), value in burns.items()},
                             dict.fromkeys(("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"), float(1 - remaining)))
            self.assertEqual(nissad.slo(name)["budget"]["remaining"], float(remaining))
        return counts

    def test_numbers_are_equal_though_nissad_and_nissa_send_are_killed_while_the_log_is_followed(self):
        with Nissad(SLOS) as nissad, Nginx(pipe=False) as nginx, Prometheus(nissad) as prometheus:
            follow = ("--follow", nginx.log_file, "--state", nissad.folder / "cuts")
            sender = self.sender(nissad, *follow)
            with Visitors(nginx.port, seed=1) as earlier:
                self.await_log(nginx, lambda log: every_slo_has_some(log) and log.count("\n") > 200)
            first = self.assert_prometheus_knows(prometheus, nissad, nginx.log_of(earlier.asked))
            with Visitors(nginx.port, seed=2) as later:
                for _ in range(3):
                    time.sleep(0.4)
                    sender.kill()
                    sender.wait()
                    time.sleep(0.3)
                    sender = self.sender(nissad, *follow)
                    time.sleep(0.4)
                    nissad.kill()
                    time.sleep(0.3)
                    nissad.start()
                self.await_log(nginx, lambda log: {"200", "404", "499", "503", "504"} <= statuses_of(log)
                               and counts_of(log)["shop-latency"][1] > first["shop-latency"][1]
                               and sum(counts_of(log)["shop-availability"]) > sum(first["shop-availability"]) + 200)
            self.assert_prometheus_knows(prometheus, nissad, nginx.log_of(earlier.asked + later.asked))
            # Nissa's counters outlive its process: no rate() takes its restarts for resets.
            self.assertEqual({value for _, value in prometheus.query("resets(nissa_slo_events_total[5m])")}, {0})
            self.assert_alerts(prometheus)
            sender.terminate()
            said, _ = sender.communicate(timeout=30)
            self.assertEqual(sender.returncode, 0, said)
            check_books(nissad)

    def assert_alerts(self, prometheus):
        """What the rules make of it: the operation that always fails pages, the watchdog watches, and no rule has a fault."""
        prometheus.await_result('ALERTS{alertname="NissaWatchdog", alertstate="firing"}')
        prometheus.await_result('ALERTS{alertname="ErrorBudgetBurn", tier="1h", slo="broken", alertstate="firing"}')
        for group in prometheus.get("rules")["groups"]:
            for rule in group["rules"]:
                self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])
        page = next(one for one in prometheus.get("alerts")["alerts"] if one["labels"].get("slo") == "broken")
        self.assertEqual((page["labels"]["service"], page["labels"]["operation"]), ("shop", "GET /fail"))
        self.assertFalse(prometheus.query('ALERTS{alertname="ErrorBudgetBurn", slo="broken-weekly"}'))
        self.assertIn("broken", page["annotations"]["summary"])
        self.assertIn(f"curl {prometheus.instance}/api/v2/slos/broken", page["annotations"]["description"])

    def test_numbers_are_equal_though_nissad_is_killed_while_nginx_writes_into_a_pipe(self):
        with Nissad(SLOS) as nissad, Nginx() as nginx, Prometheus(nissad) as prometheus:
            sender = self.sender(nissad, stdin=nginx.process.stdout)
            with Visitors(nginx.port, seed=3) as visitors:
                for _ in range(2):
                    time.sleep(0.7)
                    nissad.kill()
                    time.sleep(0.5)
                    nissad.start()
                self.await_log(nginx, every_slo_has_some)
            log = nginx.log_of(visitors.asked)
            nginx.quit()
            said, _ = sender.communicate(timeout=60)
            self.assertEqual(sender.returncode, 0, said)
            self.assert_prometheus_knows(prometheus, nissad, log)
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
