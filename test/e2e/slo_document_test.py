#!/usr/bin/python3
"""Every number of docs/slo.md, computed again from its formulas, from the sources or by a running nissad."""
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
from fractions import Fraction

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb  # noqa: E402
from support.documents import blocks, section, tables, text_of  # noqa: E402
from support.metrics_table import check_query, documented  # noqa: E402
from support.nissad import ROOT, Nissad, check_books  # noqa: E402
from support.prometheus import Prometheus  # noqa: E402

SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
MONTH = 30 * SECONDS["d"]


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+) ?(s|min|m|h|d)", text).groups()
    return Fraction(number) * SECONDS[unit]


def ratio(text):
    return Fraction(re.fullmatch(r"([\d.]+) %", text).group(1)) / 100


def budget(objective):
    return 1 - ratio(objective)


def as_written(value, text):
    """`value` rounded to as many decimals as the number in `text` has."""
    number = re.match(r"[\d.]+", text).group(0)
    decimals = len(number.partition(".")[2])
    return f"{float(value):.{decimals}f}" == number


def table(title, head):
    """The rows of the table of that section whose first column is headed so."""
    return next(one[1:] for one in tables(section("slo.md", title)) if one[0][0] == head)


def tiers():
    return [(seconds(long), seconds(short), Fraction(factor), share, severity)
            for _, long, short, factor, share, severity in table("Alerts on two windows", "tier")]


class Numbers(unittest.TestCase):
    def assert_written(self, value, text):
        self.assertTrue(as_written(value, text), f"{float(value)} is not written as {text}")

    def assert_said(self, title, pattern, *values):
        """The numbers of a sentence; its line breaks do not matter."""
        found = re.search(pattern, " ".join(section("slo.md", title).split()))
        self.assertTrue(found, f"docs/slo.md, {title}: nothing like {pattern}")
        for value, text in zip(values, found.groups()):
            self.assert_written(value, text)

    def test_the_budget_in_events_and_in_time(self):
        found = table("Objective and error budget", "objective")
        self.assertGreaterEqual(len(found), 5)
        for objective, failures, outage in found:
            self.assertEqual(budget(objective) * 1_000_000, int(failures.replace(" ", "")), objective)
            self.assertEqual(budget(objective) * MONTH, seconds(outage), objective)

    def test_uneven_traffic(self):
        month = 30 * (12 * 10 + 12 * 1)
        B = budget("99.9 %")
        self.assert_said("Objective and error budget", r"day hour that takes ([\d.]+) % of the budget, in a night hour ([\d.]+) %",
                         100 * Fraction(10, month) / B, 100 * Fraction(1, month) / B)
        self.assert_said("Objective and error budget", r"five-minute slices says ([\d.]+) %", 100 * Fraction(1, 720) / B)

    def test_windows_are_those_of_the_sources(self):
        source = (ROOT / "src/slo/window.hpp").read_text()
        unit = {"second_ms": 1000, "minute_ms": 60_000, "hour_ms": 3_600_000, "day_ms": 86_400_000}

        def milliseconds(text):
            number, name = re.fullmatch(r"(?:(\d+) \* )?(\w+)", text).groups()
            return int(number or 1) * unit[name]

        rings = [milliseconds(period) for period in re.findall(r"\{+([\w *]+), [\w *]+, \d+\}", source)]
        windows = {name: (milliseconds(length), rings[int(ring)])
                   for name, length, ring in re.findall(r'\{"(\w+)", ([\w *]+), (\d)\}', source)}
        found = table("Windows and their resolution", "window")
        self.assertEqual([one[0] for one in found], list(windows))
        for name, step, error in found:
            length_ms, step_ms = windows[name]
            self.assertEqual((seconds(name) * 1000, seconds(step) * 1000), (length_ms, step_ms))
            self.assert_written(Fraction(100 * step_ms, length_ms), error)
        self.assert_said("Windows and their resolution", r"above ([\d.]+) million events/s", Fraction(2**32 - 1, 3600 * 10**6))

    def test_what_was_not_measured(self):
        self.assert_said("What was not measured", r"further apart than (\d+) s", int(re.search(
            r"longest_measured_ms = (\d+)'000", (ROOT / "src/ledger/ledger_clock.hpp").read_text()).group(1)))
        self.assert_said("What was not measured", r"half of the budget spent and (\d+) % measured, remaining is (\d+) % and "
                         r"remaining_projected (\d+) %", 90, 50, 100 * (1 - Fraction(9, 10) * Fraction(1, 2)))
        self.assertIn("most = 4096", (ROOT / "src/ledger/gaps.hpp").read_text())
        self.assertIn("Beyond 4 096 gaps", text_of("slo.md"))

    def test_tiers_are_those_of_the_rules(self):
        self.assertEqual(len(tiers()), 4)
        rules = (ROOT / "deploy/prometheus/nissa.rules.yml").read_text()
        asked = re.findall(r'window="(\w+)"\}\n\s*\* ignoring\(window\).*?> ([\d.]+)\)', rules)
        written = [(long, factor) for _, long, _, factor, *_ in table("Alerts on two windows", "tier")]
        self.assertEqual(asked[::2], written)
        for long, short, factor, share, _ in tiers():
            self.assertEqual(long, 12 * short)
            self.assertEqual(factor * long / MONTH, ratio(share))

    def test_detection_times(self):
        found = table("Alerts on two windows", "objective")
        self.assertGreaterEqual(len(found), 7)
        for objective, errors, *times in found:
            for (long, _, factor, *_), text in zip(tiers(), times):
                threshold = factor * budget(objective)
                if ratio(errors) <= threshold:
                    self.assertEqual(text, "never", (objective, errors))
                else:
                    unit = SECONDS[text.split()[1]]
                    self.assert_written(threshold / ratio(errors) * long / unit, text)
                    self.assertLess(threshold / ratio(errors), 1)

    def test_the_first_page_after_a_cold_start(self):
        share = {"all": Fraction(1), "a third": Fraction(1, 3), "a tenth": Fraction(1, 10), "a hundredth": Fraction(1, 100)}
        found = next(rows for rows in tables(section("slo.md", "Alerts on two windows")) if rows[0][1].startswith("fails from"))
        self.assertGreaterEqual(len(found), 6)
        for objective, fails, said in found[1:]:
            times = [(factor * budget(objective) / share[fails] * long, number)
                     for number, (long, _, factor, _, severity) in enumerate(tiers(), 1)
                     if severity == "page" and share[fails] > factor * budget(objective)]
            first, by = min(times)
            text, tier = re.fullmatch(r"(.*), by tier (\d)", said).groups()
            self.assert_written(first / SECONDS[text.split()[1]], text)
            self.assertEqual(by, int(tier), (objective, fails))

    def test_tiers_of_other_periods_spend_the_same_shares_where_the_factor_allows_it(self):
        found = table("Alerts for other periods", "period")
        written = {}
        windows = [one[0] for one in table("Windows and their resolution", "window")]
        for period, long, short, factor, share, severity in found:
            written.setdefault(period, []).append(severity)
            self.assertIn(long, windows)
            self.assertIn(short, windows)
            standard = tiers()[len(written[period]) - 1]
            self.assertEqual(severity, standard[-1])
            exact = max(Fraction(1), ratio(standard[3]) * seconds(period) / seconds(long))
            self.assertEqual(exact, Fraction(factor), (period, long))
            self.assert_written(100 * exact * seconds(long) / seconds(period), share)
            self.assertTrue(seconds(long) / 12 <= seconds(short) <= seconds(long) / 4)
            self.assertLessEqual(2 * seconds(long), seconds(period))
        self.assertEqual({period: len(one) for period, one in written.items()}, {"14d": 4, "7d": 4})
        self.assert_said("Alerts for other periods", r"A factor of (\S+) cannot be reached at an objective of ([\d.]+) %",
                         Fraction("6.72"), 100 * (1 - 1 / Fraction("6.72")))
        self.assert_said("Alerts for other periods", r"four tiers of 30 d have ([\d.]+), ([\d.]+), ([\d.]+) and (\d)\.",
                         *(max(Fraction(1), factor * 28 / 30) for _, _, factor, *_ in tiers()))

    def test_the_rule_for_another_period_is_a_tier_of_the_table_and_judges_no_other_slo(self):
        text, = blocks(section("slo.md", "Alerts for other periods"), "yaml")
        period, long, short, factor, *_ = next(one for one in table("Alerts for other periods", "period") if one[0] == "7d")
        self.assertEqual(check_query(text, documented()), [])
        self.assertEqual(re.findall(r'window="(\w+)"\}\n', text), [long, short])
        self.assertEqual(re.findall(r" \* (\d+), 1\) > ([\d.]+)\)", text),
                         [(str(MONTH // seconds(one)), factor) for one in (long, short)])
        self.assertIn(f"offset {long}\n", text)
        self.assertIn(f'period="{period}"', text)
        series = "".join(
            f"""
      - {{series: 'nissa_slo_info{{{who}, service="web", operation="*", period="{name}"}}', values: '1+0x99'}}
      - {{series: 'nissa_slo_events_total{{{who}, verdict="bad"}}', values: '0+9x99'}}
      - {{series: 'nissa_slo_coverage_ratio{{{who}, window="30d"}}', values: '1+0x99'}}
      - {{series: 'nissa_slo_burn_rate{{{who}, window="{long}"}}', values: '{burn}+0x99'}}
      - {{series: 'nissa_slo_burn_rate{{{who}, window="{short}"}}', values: '{burn}+0x99'}}"""
            for name, slo, burn in (("7d", "weekly", 6.8), ("7d", "calm", 6.7), ("30d", "monthly", 14.3))
            for who in [f'job="nissa", instance="a", slo="{slo}"'])
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "rules.yml").write_text(text)
            (pathlib.Path(folder) / "test.yml").write_text(f"""
rule_files: [rules.yml]
evaluation_interval: 15s
tests:
  - interval: 1m
    input_series:{series}
    promql_expr_test:
      - expr: count by (slo, service, tier) (ALERTS)
        eval_time: 50m
        exp_samples: [{{labels: '{{slo="weekly", service="web", tier="7d-30m"}}', value: 1}}]
""")
            done = subprocess.run(["promtool", "test", "rules", pathlib.Path(folder) / "test.yml"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_first_days(self):
        for objective, one, tenth in table("The first days", "objective"):
            allowed = 1 / budget(objective)
            self.assertEqual((f"{int(allowed):,}", f"{int(10 * allowed):,}"), (one.replace(" ", ","), tenth.replace(" ", ",")))
        self.assert_said("The first days", r"seen 100 events may have failed ([\d.]+) of", 100 * budget("99.9 %"))
        self.assertIn(f"after 50 failures in a first hour that went wrong an SLO of 99.9 % is exhausted until it has seen "
                      f"{int(50 / budget('99.9 %')):,} events".replace(",", " "), " ".join(section("slo.md", "The first days").split()))

    def test_what_prometheus_says_otherwise(self):
        stretch = r"at 15 s the traffic of ([\d.]+) % of 5m, ([\d.]+) % of 1h, ([\d.]+) % of 6h"
        self.assert_said("Compared with Prometheus", stretch,
                         *(100 * Fraction(30) / seconds(one) for one in ("5m", "1h", "6h")))
        self.assert_said("Compared with Prometheus", r"less than a step: ([\d.]+) % of 5m, ([\d.]+) % of 1h",
                         100 * Fraction(10, 300), 100 * Fraction(10, 3600))
        table_of_metrics = documented()
        for query in blocks(section("slo.md", "Compared with Prometheus"), "promql")[:2]:
            self.assertEqual(check_query(query, table_of_metrics), [])

    def test_when_a_tier_is_clear_and_where_it_makes_no_sense(self):
        long, short, factor, *_ = tiers()[0]
        clear = short * (1 - factor * budget("99.9 %"))
        self.assert_said("Alerts on two windows", r"after ([\d.]+) to ([\d.]+) min for tier 1", clear / 60, (clear + 10) / 60)
        reachable = 100 * (1 - 1 / factor)
        said = Fraction(re.search(r"does not exist at an objective of ([\d.]+) %", " ".join(text_of("slo.md").split())).group(1))
        self.assertTrue(said < reachable < said + Fraction(1, 100))
        self.assert_said("Alerts on two windows", r"up to (\d+) events an hour at 99 %, (\d+) at 99.9 %, (\d+) at 99.99 %",
                         *(int(1 / (factor * budget(one))) for one in ("99 %", "99.9 %", "99.99 %")))
        self.assert_said("Alerts on two windows", r"above ([\d.]+) events/s at 99.9 % and ([\d.]+) at 99.99 %",
                         *(10 / (factor * budget(one) * long) for one in ("99.9 %", "99.99 %")))
        self.assert_said("Alerts on two windows", r"fewer than ([\d.]+) events an hour", Fraction(10, 6))

    def test_why_integers(self):
        self.assertIn(repr(1 - 0.999), section("slo.md", "Why integers"))
        self.assertIn(f"{int(ratio('99.9 %') * 10**8):,}".replace(",", " "), section("slo.md", "Why integers"))


SHARED = 'service = "{0}"\nsli = "availability"\nobjective = "99.9 %"\n'
TRAFFIC = "".join(f'[[slo]]\nname = "{name}"\n' + SHARED.format(name) for name in ("day", "night", "even", "silent"))


class ByTheProgram(unittest.TestCase):
    def send(self, nissad, service, hours):
        """`hours`: (hours ago, events, failed)."""
        agent = Agent(nissad.tcp_port).connect()
        self.addCleanup(agent.close)
        this_hour = time.time_ns() // 10**9 // 3600 * 3600
        for ago, events, failed in hours:
            one = event(service=service, when_ns=(this_hour - ago * 3600 + 1800) * 10**9)
            bad = event(service=service, outcome=failed > 0, when_ns=one.time_unix_ns)
            ack = agent.ask(agent.batch([bad] * failed + [one] * (events - failed), settled_below=agent.sequence + 1))
            self.assertEqual((ack.status, ack.accepted), (pb.Ack.COUNTED, events))

    def test_uneven_traffic_takes_the_shares_of_the_budget_that_the_page_says(self):
        begun = time.time()
        try:
            self.uneven_traffic()
        except AssertionError:
            if time.time() // 3600 == begun // 3600:
                raise
            self.uneven_traffic()  # between sending and asking the oldest hour has left the window

    def uneven_traffic(self):
        if time.time() % 3600 > 3570:
            time.sleep(3600 - time.time() % 3600)  # rather than doing it twice
        with Nissad(TRAFFIC) as nissad:
            month = [(ago, 100 if ago % 24 < 12 else 10) for ago in range(1, 721)]
            self.send(nissad, "day", [(ago, events, events if ago == 24 else 0) for ago, events in month])
            self.send(nissad, "night", [(ago, events, events if ago == 36 else 0) for ago, events in month])
            for name, failed in (("day", 100), ("night", 10)):
                budget_left = nissad.slo(name)["budget"]
                spent = Fraction(failed, sum(events for _, events in month)) / Fraction(1, 1000)
                self.assertEqual(budget_left["remaining"], float(1 - spent))
                self.assertTrue(as_written(100 * spent, {"day": "252.5", "night": "25.3"}[name]))
            check_books(nissad)

    def test_exactly_as_many_failures_as_allowed_are_not_exhausted_and_one_more_is(self):
        with Nissad(TRAFFIC) as nissad:
            self.send(nissad, "even", [(2, 1000, 1)])
            slo = nissad.slo("even")
            self.assertEqual((slo["state"], slo["budget"]["exhausted"], slo["budget"]["remaining"]), ("healthy", False, 0))
            self.send(nissad, "even", [(3, 999, 1)])
            slo = nissad.slo("even")
            self.assertEqual((slo["state"], slo["budget"]["exhausted"]), ("exhausted", True))
            silent = nissad.slo("silent")
            self.assertEqual((silent["state"], silent["budget"]["remaining"]), ("no_data", None))
            self.assertEqual({one["burn_rate"] for one in silent["windows"]}, {None})
            check_books(nissad)

    def test_a_first_event_that_fails_is_told_as_the_page_says(self):
        with Nissad(TRAFFIC) as nissad:
            self.send(nissad, "even", [(1, 1, 1)])
            slo = nissad.slo("even")
            self.assertEqual((slo["state"], slo["budget"]["exhausted"]), ("exhausted", True))
            said = " ".join(section("slo.md", "The first days").split())
            burn, left = re.search(r"the burn rate ([\d ]+), the budget −([\d ]+) %", said).groups()
            self.assertEqual(slo["windows"][-1]["burn_rate"], int(burn.replace(" ", "")))
            self.assertEqual(-100 * slo["budget"]["remaining"], int(left.replace(" ", "")))
            self.assertEqual(slo["budget"]["remaining_projected"], slo["budget"]["remaining"])
            check_books(nissad)

    def test_the_queries_for_prometheus_say_what_nissad_says(self):
        exact, burn = (one.replace("shop-availability", "even")
                       for one in blocks(section("slo.md", "Compared with Prometheus"), "promql")[:2])
        with Nissad(TRAFFIC) as nissad, Prometheus(nissad) as prometheus:
            prometheus.await_result('nissa_slo_events_total{slo="even"} offset 4s')
            begun = time.monotonic()
            self.send_now(nissad, [(20 * step + 7, step) for step in range(1, 11)])
            good, bad = sum(20 * step + 7 - step for step in range(1, 11)), sum(range(1, 11))
            for verdict, count in (("good", good), ("bad", bad)):
                prometheus.await_value("nissa_slo_events_total", ("even", verdict, ""), count)
            prometheus.await_result('nissa_slo_burn_rate{slo="even", window="1h"}')
            ago = f"{int(time.monotonic() - begun) + 3}s"
            self.assertEqual(prometheus.ask(exact.replace("1h", ago)), {("even", "bad", ""): bad})
            self.assertEqual(prometheus.query(exact), [], "nobody has watched for an hour")
            told = nissad.window("even", "1h")["burn_rate"]
            (_, found), = prometheus.query(burn)
            self.assertAlmostEqual(found / told, 1, delta=1e-9)
            # What came late moves the counter now, and in Nissa the hour in which it happened.
            self.send(nissad, "even", [(3, 50, 50)])
            prometheus.await_value("nissa_slo_events_total", ("even", "bad", ""), bad + 50)
            self.assertEqual((nissad.window("even", "1h")["burn_rate"], nissad.window("even", "6h")["total"]),
                             (told, good + bad + 50))
            check_books(nissad)

    def send_now(self, nissad, batches):
        """`batches`: (events, failed), one after the other, so that some scrapes fall between them."""
        agent = Agent(nissad.tcp_port).connect()
        self.addCleanup(agent.close)
        for events, failed in batches:
            agent.ask(agent.batch([event(service="even", outcome=1)] * failed + [event(service="even")] * (events - failed)))
            time.sleep(0.25)


if __name__ == "__main__":
    unittest.main()
