#!/usr/bin/python3
"""The dashboard of deploy/grafana and the table of docs/metrics.md against what a running nissad shows: every query is
asked of a real Prometheus, every name and label is held against the table, and the table against the page."""
import json
import pathlib
import re
import subprocess
import sys
import threading
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb  # noqa: E402
from support.documents import rows, section  # noqa: E402
from support.metrics_table import check_query, documented  # noqa: E402
from support.nissad import ROOT, Nissad, check_books  # noqa: E402
from support.prometheus import Prometheus  # noqa: E402

DASHBOARD = json.loads((ROOT / "deploy/grafana/nissa.json").read_text())
VARIABLES = {one["name"]: one for one in DASHBOARD["templating"]["list"]}


def panels():
    for one in DASHBOARD["panels"]:
        yield one
        yield from one.get("panels", [])


def queries():
    """title, expression."""
    for one in panels():
        for target in one.get("targets", []):
            yield f"{one['title']} {target['refId']}", target["expr"]


def traffic(nissad, stop):
    """In all classes, and with all that makes a graph move: failures, a refusal, an event that is not taken."""
    agents = [(Agent(nissad.tcp_port).connect(), priority) for priority in (pb.LOW, pb.NORMAL, pb.HIGH, pb.CRITICAL)]
    while not stop.wait(0.1):
        for agent, priority in agents:
            agent.ask(agent.batch([event(), event(outcome=1), event(duration_ms=900), event(service="")], priority))
            unknown = agent.batch([], priority)
            unknown.event_count = 1
            unknown.metrics.add(name="queue", value=1.0)
            agent.ask(unknown)
    for agent, _ in agents:
        agent.close()


class TheFile(unittest.TestCase):
    def test_panels_have_titles_and_places_of_their_own(self):
        numbers = [one["id"] for one in panels()]
        self.assertEqual(len(numbers), len(set(numbers)))
        taken = {}
        for one in DASHBOARD["panels"]:
            self.assertTrue(one["title"])
            place = one["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, one["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertEqual(taken.setdefault((x, y), one["title"]), one["title"], "two panels in one place")
        self.assertEqual([one["title"] for one in DASHBOARD["panels"] if one["type"] == "row"],
                         ["SLOs", "One SLO: $slo", "Ingestion", "The process and its journal"])

    def test_every_query_goes_to_the_chosen_source_and_server(self):
        source = {"type": "prometheus", "uid": "${datasource}"}
        for one in panels():
            if one["type"] == "row":
                continue
            self.assertEqual(one["datasource"], source, one["title"])
            for target in one["targets"]:
                self.assertEqual(target["datasource"], source, one["title"])
                selectors = re.findall(r"(?:nissa|process)_\w+(\{[^}]*\})?", target["expr"])
                self.assertTrue(selectors)
                for selector in selectors:
                    self.assertIn('instance="$instance"', selector, target["expr"])
        self.assertEqual(list(VARIABLES), ["datasource", "instance", "slo"])
        self.assertGreaterEqual(DASHBOARD["schemaVersion"], 36)

    def test_every_query_asks_for_metrics_and_labels_that_exist(self):
        table = documented()
        for title, expression in queries():
            self.assertEqual(check_query(expression, table), [], title)
        for one in panels():
            for target in one.get("targets", []):
                for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                    self.assertTrue(any(label in metric.labels for name, metric in table.items() if name in target["expr"]),
                                    f"{one['title']}: the legend asks for {label}")

    def test_the_overview_has_a_named_column_for_each_of_its_queries(self):
        table = next(one for one in panels() if one["type"] == "table")
        organize = next(one["options"] for one in table["transformations"] if one["id"] == "organize")
        columns = {f"Value #{one['refId']}" for one in table["targets"]} | {"slo"}
        self.assertEqual((set(organize["renameByName"]), set(organize["indexByName"])), (columns, columns))
        windows = [re.search(r'window="(\w+)"', one["expr"]) for one in table["targets"] if "burn_rate" in one["expr"]]
        self.assertEqual([one.group(1) for one in windows], ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"])
        for override in table["fieldConfig"]["overrides"]:
            named = override["matcher"]["options"]
            if override["matcher"]["id"] == "byName":
                self.assertIn(named, organize["renameByName"].values())

    def test_every_colour_is_explained_beside_its_panel(self):
        explained = 0
        for one in panels():
            config = one.get("fieldConfig", {})
            steps = [*config.get("defaults", {}).get("thresholds", {}).get("steps", []),
                     *(step for override in config.get("overrides", []) for found in override["properties"]
                       if found["id"] == "thresholds" for step in found["value"]["steps"])]
            for step in steps:
                if step["value"] is None:
                    continue
                number = "25 %" if step["value"] == 0.25 else f"{step['value']:g}"
                self.assertRegex(one["description"], rf"(?<![\d.]){re.escape(number)}(?![\d])", one["title"])
                if step["color"] not in ("green", "transparent"):
                    self.assertIn(step["color"], one["description"].lower(), one["title"])
                explained += 1
        self.assertGreater(explained, 12)

    def test_it_says_where_the_words_are_that_metrics_cannot_show(self):
        words = re.findall(r"(\w+)", " ".join(cells[0] for cells in rows(section("slo.md", "Burn rate"))[1:]))
        self.assertEqual(len(words), 4)
        overview = next(one for one in panels() if one["type"] == "table")["description"]
        for word in (*words, "remaining_projected", "/api/v2/slos"):
            self.assertIn(word, overview)


class AgainstARunningServer(unittest.TestCase):
    def test_every_query_of_the_dashboard_is_answered_with_data(self):
        with Nissad() as nissad, Prometheus(nissad) as prometheus:
            stop = threading.Event()
            sender = threading.Thread(target=traffic, args=(nissad, stop))
            sender.start()
            try:
                values = {"instance": prometheus.instance, "slo": "shop-availability", "__rate_interval": "5s"}
                prometheus.await_result('nissa_slo_burn_rate{window="30d"}')
                for title, expression in queries():
                    asked = re.sub(r"\$\{?(\w+)\}?", lambda found: values[found.group(1)], expression)
                    with self.subTest(panel=title):
                        found = prometheus.await_result(asked)
                        self.assertTrue(all(value == value for _, value in found), f"{asked}: not a number")
                for name, variable in VARIABLES.items():
                    if variable["type"] != "query":
                        continue
                    series, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
                    series = series.replace("$instance", prometheus.instance)
                    found = {labels.get(label) for labels, _ in prometheus.await_result(series)}
                    self.assertEqual(found, {prometheus.instance} if name == "instance" else
                                     {"shop-availability", "shop-latency"})
            finally:
                stop.set()
                sender.join()
            check_books(nissad)

    def test_the_table_of_metrics_is_what_the_page_shows(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.addCleanup(agent.close)
            agent.ask(agent.batch([event()]))
            page = nissad.get("/metrics")
            shown = {name: (kind, help_text) for name, help_text, kind in
                     re.findall(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$", page, re.M)}
            table = documented()
            self.assertEqual(shown, {name: (metric.kind, metric.help) for name, metric in table.items()})
            labels = {name: set() for name in shown}
            for sample, text in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page, re.M):
                name = next(one for one in (sample, re.sub(r"_(bucket|sum|count)$", "", sample)) if one in shown)
                labels[name].add(tuple(sorted(one for one in re.findall(r'(\w+)="(?:[^"\\]|\\.)*"', text or "") if one != "le")))
            for name, found in labels.items():
                self.assertEqual(found, {tuple(sorted(table[name].labels))}, name)

    def test_prometheus_finds_nothing_to_blame_in_the_page(self):
        with Nissad() as nissad:
            with urllib.request.urlopen(f"http://127.0.0.1:{nissad.admin_port}/metrics", timeout=10) as answer:
                page = answer.read()
            done = subprocess.run(["promtool", "check", "metrics"], input=page, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=60)
            self.assertEqual((done.returncode, done.stdout.decode()), (0, ""))
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
