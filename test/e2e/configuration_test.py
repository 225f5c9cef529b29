#!/usr/bin/python3
"""The configuration from outside: what --check-config says of good and of bad files, what the pages say of what runs, and
what stands in the log."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, AgentTest, event, pb  # noqa: E402
from support.nissad import PROGRAMS, ROOT, Nissad, check_books  # noqa: E402

TEN_PROBLEMS = """state_dir = 3
colour = "red"
[listen]
tcp = "127.0.0.1"
[ingest]
max_frame = "1 MB"
max_evnets = 5
[gate]
sender_percent = 101
[journal]
commit_spacing = "2s"
[log]
level = "loud"
[[slo]]
name = "a b"
sli = "availability"
objective = "100 %"
[[slo]]
name = "c"
sli = "latency"
objective = "99 %"
"""
TEN_PLACES = [r"1:13: state_dir: expected a string", r"2:1: unknown key colour", r"4:7: listen\.tcp: ",
              r"6:13: ingest\.max_frame: ", r"7:1: unknown key ingest\.max_evnets; did you mean ingest\.max_events\?",
              r"9:18: gate\.sender_percent: expected a whole number from 2 to 100",
              r"11:18: journal\.commit_spacing: \"2s\" is out of range", r"13:9: log\.level: \"loud\" is none of",
              r"15:8: slo\[1\]\.name: ", r"17:13: slo\[1\]\.objective: ", r"18:1: slo\[2\]\.threshold of c: is missing"]


def checked(config):
    return subprocess.run([PROGRAMS / "nissad", "--check-config", "--config", config], text=True, capture_output=True,
                          timeout=60)


def written(text):
    file = tempfile.NamedTemporaryFile("w", suffix=".toml")
    file.write(text)
    file.flush()
    return file


def fields_of(line):
    """A text line of the log: key → value, escapes undone as far as JSON's go."""
    found = re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)
    return {key: json.loads(value) if value.startswith('"') else value for key, value in found}


class CheckConfig(unittest.TestCase):
    def test_the_example_is_explained(self):
        done = checked(ROOT / "deploy/nissa.toml")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("3 SLOs, nothing wrong\n", done.stdout)
        self.assertRegex(done.stdout, r'(?s)\ncheckout-europe\n  matches +service "shop", operation "POST /checkout", label '
                                      r'region like "eu-\*"\n.*  budget +21\.6 min of total outage, or 1 bad event in 2000 ')
        self.assertRegex(done.stdout, r"\n  connections +10000 of agents")
        parts = re.findall(r"\n  (\d+) (MiB|KiB) +(?!in all)\S", done.stdout.split("\nmemory\n")[1].split("in all")[0])
        self.assertGreater(len(parts), 8)

    def test_few_file_descriptors_are_told(self):
        done = subprocess.run(["prlimit", "--nofile=1024:1024", PROGRAMS / "nissad", "--check-config", "--config",
                               ROOT / "deploy/nissa.toml"], text=True, capture_output=True, timeout=60)
        self.assertIn("922 of agents over TCP (ingest.max_connections is 10000, but the limit of file descriptors bears no more",
                      done.stdout)

    def test_all_problems_of_all_sections_are_told_in_one_run_each_with_its_place(self):
        with written(TEN_PROBLEMS) as file:
            done = checked(file.name)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        for place in TEN_PLACES:
            self.assertRegex(done.stderr, rf"(?m)^{re.escape(file.name)}:{place}")
        self.assertEqual(len(done.stderr.splitlines()), len(TEN_PLACES), done.stderr)

    def test_what_is_no_toml_or_nested_without_end_is_told_with_its_place_and_never_a_crash(self):
        deep = 50_000
        for text, place in (('[gate]\nx = "open\n', "2:"), ("x = " + "[" * deep, "1:21: nested"),
                            ("x = " + "{a=" * deep, "1:53: nested"), ("a." * deep + "a = 1", "1:32: nested"),
                            ("[" + "a." * deep + "a]", "1:33: nested")):
            with self.subTest(text=text[:12]), written(text) as file:
                done = checked(file.name)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith(f"{file.name}:{place}"), done.stderr[:200])

    def test_what_is_hardly_meant_is_a_warning_and_no_problem(self):
        slo = '[[slo]]\nname = "{}"\nservice = "{}"\nsli = "availability"\nobjective = "99.9 %"\n'
        with written(slo.format("none", "") + slo.format("one", "shop") + slo.format("two", "shop")) as file:
            done = checked(file.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 SLOs, nothing wrong, 2 warnings\n", done.stdout)
        self.assertIn("  warning: nothing can match: an event without a service is never counted\n", done.stdout)
        self.assertIn("  warning: counts the same events in the same way as one\n", done.stdout)

    def test_the_tiers_that_are_warned_of_are_those_of_the_shipped_rules(self):
        rules = (ROOT / "deploy/prometheus/nissa.rules.yml").read_text()
        burns = re.findall(r"- alert: ErrorBudgetBurn\n(?:.*\n)*?.* > ([0-9.]+)\)\n(?:.*\n)*?.*tier: \"(\w+)\"", rules)
        self.assertEqual(len(burns), rules.count("alert: ErrorBudgetBurn"))
        slo = '[[slo]]\nname = "{0}"\nservice = "{0}"\nsli = "availability"\nobjective = "{1:.6f} %"\n'
        for factor, tier in burns:
            reached = 100 * (1 - 1 / float(factor))  # where the burn rate of a total outage is the factor
            with self.subTest(tier=tier), written(slo.format("under", max(reached - 1e-4, 1e-6)) + slo.format("over", reached + 1e-4)) as file:
                under, over = checked(file.name).stdout.split("\nover\n")
                never = re.compile(rf"tier ([\w, ]*\b)?{tier}\b[\w, ]* can never fire")
                self.assertEqual((bool(never.search(under)), bool(never.search(over))), (float(factor) > 1, False))


class Pages(AgentTest):
    def test_the_configuration_that_runs_is_shown_with_the_hash_of_its_file(self):
        with Nissad(more="[gate]\nsender_percent = 30") as nissad:
            page = nissad.json("/api/v2/config")
            self.assertEqual(page["file"], str(nissad.config))
            self.assertEqual(page["sha256"], hashlib.sha256(nissad.config.read_bytes()).hexdigest())
            self.assertLess(abs(page["loaded_ms"] - time.time() * 1000), 60_000)
            self.assertEqual(page["settings"]["gate"]["sender_percent"], 30)
            self.assertEqual(page["settings"]["gate"]["ingest_bytes"], "64 MiB")
            self.assertEqual(page["settings"]["listen"]["tcp"], f"127.0.0.1:{nissad.tcp_port}")
            self.assertIn("gate.sender_percent", page["given"])
            self.assertNotIn("gate.ingest_bytes", page["given"])
            self.assertEqual([one["name"] for one in page["slos"]], ["shop-availability", "shop-latency"])
            nissad.config.write_text("changed")
            self.assertEqual(nissad.json("/api/v2/config"), page)
            check_books(nissad)

    def test_match_tells_the_slos_of_an_event_and_what_came_that_matched_none(self):
        with Nissad() as nissad:
            agent = self.agent(nissad)
            self.assertEqual(nissad.json("/api/v2/match"), {"unmatched": {"events": 0, "latest": []}})
            stray = event()
            stray.service, stray.operation = "bank", "GET /account"
            stray.labels.add(key="region", value="eu")
            agent.ask(agent.batch([event()] * 2 + [stray] * 3))
            unmatched = nissad.json("/api/v2/match")["unmatched"]
            self.assertEqual(unmatched["events"], 3)
            self.assertEqual([(one["service"], one["operation"], one["labels"]) for one in unmatched["latest"]],
                             [("bank", "GET /account", {"region": "eu"})])
            before = nissad.metrics()["nissa_match_sets"]
            self.assertGreaterEqual(before, 2)
            for query, names in (("service=shop&operation=GET%20/x", ["shop-availability", "shop-latency"]),
                                 ("service=shop&operation=POST+/x", ["shop-availability"]),
                                 ("service=bank&label.region=eu", [])):
                page = nissad.json("/api/v2/match?" + query)
                self.assertEqual([one["name"] for one in page["slos"]], names, query)
            self.assertEqual(nissad.json("/api/v2/match?service=shop&operation=GET%20/x")["slos"][1]["sli"]["threshold_ms"], 300)
            self.assertEqual(nissad.metrics()["nissa_match_sets"], before)
            with self.assertRaises(urllib.error.HTTPError) as caught:
                nissad.get("/api/v2/match?operation=x")
            self.assertEqual(caught.exception.code, 400)
            self.assertIn("service is missing", json.load(caught.exception)["error"]["message"])
            self.assertIn("/api/v2/match", nissad.get("/"))
            check_books(nissad)


class Histories(unittest.TestCase):
    def restarted(self, nissad, text):
        """The file is changed and the server started again: what the log says of histories."""
        self.assertEqual(nissad.stop(), 0)
        nissad.config.write_text(text)
        seen = len(nissad.log_text())
        nissad.start()
        lines = [fields_of(line) for line in nissad.log_text()[seen:].splitlines()]
        return {one["slo"]: one for one in lines if "slo" in one}, {one["msg"]: one for one in lines}

    def counted(self, nissad, kind):
        return {one["name"]: one["lifetime"]["total"] for one in nissad.json("/api/v2/slos")[kind]}

    def test_a_changed_name_or_sli_is_told_retires_the_old_history_and_undone_brings_it_back(self):
        with Nissad() as nissad:
            before = nissad.config.read_text()
            self.assertNotIn("histor", nissad.log_text())
            agent = Agent(nissad.tcp_port).connect()
            self.assertEqual(agent.ask(agent.batch([event()] * 3)).status, pb.Ack.COUNTED)
            agent.close()
            changed = before.replace('"shop-availability"', '"shop/availability"').replace('"300ms"', '"500ms"')
            slos, messages = self.restarted(nissad, changed.replace('"99 %"', '"98 %"'))
            for name, retired, key in (("shop/availability", "shop-availability", "name"),
                                       ("shop-latency", "shop-latency", "threshold")):
                self.assertEqual((slos[name]["level"], slos[name]["changed"], slos[name]["retired"]), ("warning", key, retired))
                self.assertIn("begins a new history; the old one is retired", slos[name]["msg"])
            sums = messages["the histories follow the file"]
            self.assertEqual((sums["begun"], sums["resumed"], sums["retired"]), ("2", "0", "2"))
            self.assertEqual(self.counted(nissad, "slos"), {"shop/availability": 0, "shop-latency": 0})
            self.assertEqual(self.counted(nissad, "retired"), {"shop-availability": 3, "shop-latency": 3})
            for path in ("shop/availability", "shop%2Favailability"):
                self.assertEqual(nissad.json("/api/v2/slos/" + path)["name"], "shop/availability")
            self.assertNotIn("retired", nissad.json("/api/v2/slos/shop-latency"))
            slos, _ = self.restarted(nissad, before)
            self.assertIn("goes on with an earlier history", slos["shop-availability"]["msg"])
            self.assertEqual(self.counted(nissad, "slos"), {"shop-availability": 3, "shop-latency": 3})
            slos, messages = self.restarted(nissad, before.replace('"99 %"', '"98 %"'))
            self.assertEqual((slos, "the histories follow the file" in messages), ({}, False))
            self.assertEqual(self.counted(nissad, "slos"), {"shop-availability": 3, "shop-latency": 3})
            check_books(nissad)


class Log(unittest.TestCase):
    def set_level(self, nissad, level, content_type="application/json"):
        request = urllib.request.Request(f"http://127.0.0.1:{nissad.admin_port}/api/v2/log", method="POST",
                                         data=json.dumps({"level": level}).encode(),
                                         headers={"Content-Type": content_type})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def await_line(self, nissad, text, within=20, meanwhile=lambda: None):
        deadline = time.monotonic() + within
        while text not in nissad.log_text():
            self.assertLess(time.monotonic(), deadline, nissad.log_text()[-2000:])
            meanwhile()
            time.sleep(0.05)

    def test_the_level_changes_while_it_runs(self):
        with Nissad(more='[journal]\nsnapshot_interval = "1s"') as nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.addCleanup(agent.close)
            self.assertEqual(nissad.json("/api/v2/log"), {"level": "info"})
            agent.ask(agent.batch([event()]))
            self.assertNotIn("level=debug", nissad.log_text())
            self.assertEqual(self.set_level(nissad, "debug"), {"level": "debug", "was": "info"})
            self.await_line(nissad, 'level=debug component=ledger msg="a snapshot is complete"',
                            meanwhile=lambda: agent.ask(agent.batch([event()], settled_below=agent.sequence + 1)))
            self.assertEqual(self.set_level(nissad, "error"), {"level": "error", "was": "debug"})
            for level, content_type, code in (("loud", "application/json", 400), ("info", "text/plain", 415),
                                              ("x" * 5000, "application/json", 413)):
                with self.subTest(level=level[:9]), self.assertRaises(urllib.error.HTTPError) as caught:
                    self.set_level(nissad, level, content_type)
                self.assertEqual(caught.exception.code, code)
                self.assertTrue(json.load(caught.exception)["error"]["hint"])
            self.assertEqual(nissad.json("/api/v2/log"), {"level": "error"})
            check_books(nissad)

    def test_lines_of_json_are_json_and_tell_start_agents_malformed_input_and_the_end(self):
        with Nissad(more='[log]\nformat = "json"') as nissad:
            agent = Agent(nissad.tcp_port, name='shop "1"\n').connect()
            self.addCleanup(agent.close)
            agent.send_raw(b"\x03abc")
            agent.read()
            agent.ask(agent.batch([event()]))
            check_books(nissad)
            self.assertEqual(nissad.stop(), 0)
            lines = [json.loads(line) for line in nissad.log_text().splitlines()]
        by_message = {one["msg"]: one for one in lines}
        for one in lines:
            self.assertLessEqual({"time", "level", "component", "msg", "place"}, set(one))
        self.assertEqual(by_message["nissad starts"]["slos"], 2)
        self.assertEqual(by_message["nissad starts"]["config"], str(nissad.config))
        self.assertEqual(by_message["a new state is begun: there was none in state_dir, so all counts begin at zero"]["state_dir"], f"{nissad.folder}/state")
        self.assertEqual(by_message["ready"]["tcp"], f"127.0.0.1:{nissad.tcp_port}")
        self.assertEqual(by_message["a new agent has come"]["agent"], 'shop "1"\n')
        self.assertEqual(by_message["malformed input"]["principal"], "127.0.0.1")
        self.assertTrue(by_message["malformed input"]["reason"])
        self.assertEqual(by_message["nissad has ended"]["exit_code"], 0)

    def test_a_start_that_fails_is_told_in_the_format_of_the_log(self):
        with Nissad(more='[log]\nformat = "json"') as nissad:
            second = subprocess.run([PROGRAMS / "nissad", "--config", nissad.config], text=True, capture_output=True,
                                    timeout=20)
            self.assertEqual(second.returncode, 1)
            last = [json.loads(line) for line in second.stderr.splitlines()][-1]
            self.assertEqual((last["level"], last["exit_code"]), ("error", 1))
            self.assertIn(str(nissad.process.pid), last["msg"])
            check_books(nissad)

    def test_lines_of_text_are_one_line_each_whatever_an_agent_calls_itself(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port, name='x\nlevel=error msg="gone"').connect()
            self.addCleanup(agent.close)
            self.await_line(nissad, "a new agent has come")
            for line in nissad.log_text().splitlines():
                self.assertRegex(line, r"^time=\S+Z level=(info|warning) component=\w+ msg=")
            found = next(fields_of(line) for line in nissad.log_text().splitlines() if "a new agent" in line)
            self.assertEqual(found["agent"], 'x\nlevel=error msg="gone"')
            check_books(nissad)

    def test_events_batches_and_malformed_batches_leave_no_lines_of_their_own(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.addCleanup(agent.close)
            before = nissad.log_text().count("\n")
            for _ in range(200):
                batch = agent.batch([event()] * 100, settled_below=agent.sequence + 1)
                self.assertEqual(agent.ask(batch).status, pb.Ack.COUNTED)
                empty = agent.batch([], settled_below=agent.sequence + 1)
                self.assertEqual(agent.ask(empty).status, pb.Ack.MALFORMED)
            self.assertLess(nissad.log_text().count("\n") - before, 10, nissad.log_text())
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
