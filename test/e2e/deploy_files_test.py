#!/usr/bin/python3
"""The files of deploy/ that others read: Prometheus' configuration and rules by promtool, the systemd unit by systemd."""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb  # noqa: E402
from support.documents import blocks, rows, section, text_of  # noqa: E402
from support.metrics_table import check_query, documented  # noqa: E402
from support.nissad import PROGRAMS, ROOT, TWO_SLOS, Nissad, check_books  # noqa: E402

RULES = ROOT / "deploy/prometheus/nissa.rules.yml"
RULE_TESTS = ROOT / "test/e2e/nissa_rules.yml"
UNIT = ROOT / "deploy/systemd/nissad.service"
SEND_UNIT = ROOT / "deploy/systemd/nissa-send@.service"


def alerts():
    """name, expression, labels, annotations, as text, in the order of the file."""
    for block in re.split(r"^      - alert: ", RULES.read_text(), flags=re.M)[1:]:
        name, rest = block.split("\n", 1)
        expression = re.search(r"^        expr: (?:>-\n)?(.*?)(?=^        \w)", rest, re.M | re.S).group(1)
        yield name, " ".join(re.sub(r"^\s*#.*$", "", expression, flags=re.M).split()), rest


def run(*command, **more):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, **more)


class Prometheus(unittest.TestCase):
    def test_the_configuration_and_its_rules_are_valid(self):
        for command in (("config", ROOT / "deploy/prometheus/prometheus.yml"), ("rules", RULES)):
            done = run("promtool", "check", *command)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_each_alert_fires_when_it_should_and_not_before(self):
        done = run("promtool", "test", "rules", RULE_TESTS)
        self.assertEqual(done.returncode, 0, done.stdout)
        tests = RULE_TESTS.read_text()
        for name in {name for name, *_ in alerts()}:
            self.assertIn(name, tests, "has no test")

    def test_each_alert_asks_for_metrics_and_labels_that_exist(self):
        table = documented()
        for name, expression, _ in alerts():
            self.assertEqual(check_query(expression, table), [], name)

    def test_each_alert_tells_a_stranger_what_is_wrong_and_what_to_do(self):
        shared = re.search(r"annotations: &page\n(.*?)(?=^      - )", RULES.read_text(), re.M | re.S).group(1)
        for name, _, rest in alerts():
            text = shared if "annotations: *page" in rest else rest
            self.assertRegex(rest, r"labels: \{severity: (page|ticket|none)")
            summary, description = (re.search(rf"^          {key}: (.*?)(?=^          \w|^      - |\Z)", text, re.M | re.S)
                                    for key in ("summary", "description"))
            self.assertTrue(summary and 20 < len(summary.group(1)) < 140, name)
            self.assertTrue(description and len(description.group(1).split()) > 15, name)

    def test_the_four_tiers_ask_for_the_share_of_their_own_windows(self):
        seconds = {"m": 60, "h": 3600, "d": 86400}
        tiers = [expression for name, expression, _ in alerts() if name == "ErrorBudgetBurn"]
        self.assertEqual(len(tiers), 4)
        for expression, factor in zip(tiers, ("14.4", "6", "3", "1")):
            asked = re.findall(r'burn_rate\{[^}]*window="(\d+)(\w)"\} \* \S+ clamp_max\(nissa_slo_coverage_ratio\{[^}]*'
                               r'window="30d"\} \* (\d+), 1\) > (\S+?)\)', expression)
            self.assertEqual([one[3] for one in asked], [factor] * 2)
            lengths = [int(number) * seconds[unit] for number, unit, *_ in asked]
            self.assertEqual([int(one[2]) for one in asked], [30 * 86400 // length for length in lengths])
            self.assertEqual(lengths[0], 12 * lengths[1])
            offset, unit = re.search(r"offset (\d+)(\w)", expression).groups()
            self.assertEqual(int(offset) * seconds[unit], lengths[0])


class Systemd(unittest.TestCase):
    def test_the_units_are_valid_and_locked_up(self):
        for source, name, program in ((UNIT, "nissad.service", "nissad"), (SEND_UNIT, "nissa-send@web.service", "nissa-send")):
            with tempfile.TemporaryDirectory() as folder:
                unit = pathlib.Path(folder) / name
                unit.write_text(source.read_text().replace(f"/usr/local/bin/{program}", str(PROGRAMS / program)))
                self.assertIn(str(PROGRAMS / program), unit.read_text())
                done = run("systemd-analyze", "verify", "--man=no", unit)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
                done = run("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
                self.assertEqual(done.returncode, 0, done.stdout[-400:])

    def test_nissa_send_starts_again_as_the_program_says(self):
        unit = dict(re.findall(r"^(\w+)=(.*)$", SEND_UNIT.read_text(), re.M))
        helped = run(PROGRAMS / "nissa-send", "--help").stdout
        self.assertRegex(helped, r"1 if lines were not understood[^,]*,\s+2 if the command line or the state file")
        self.assertEqual((unit["Restart"], unit["SuccessExitStatus"], unit["RestartPreventExitStatus"]),
                         ("on-failure", "1", "2"))
        drain = int(re.search(r"--drain S .*\((\d+)\)", helped).group(1))
        self.assertGreater(int(unit["TimeoutStopSec"]), drain)
        self.assertEqual(unit["User"], "nissa-send", "instances share the folder of their states")

    def test_it_ends_and_starts_again_as_the_program_says(self):
        unit = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text(), re.M))
        codes = dict(re.findall(r"(exit_\w+) = (\d)", (ROOT / "src/app/exit_code.hpp").read_text()))
        self.assertEqual(unit["Restart"], "on-failure")
        self.assertEqual(unit["RestartPreventExitStatus"].split(),
                         [codes["exit_configuration"], codes["exit_damaged_state"]])
        self.assertGreater(int(unit["TimeoutStopSec"].rstrip("s")), 10, "the drain takes up to 10 s")
        connections = sum(int(one) for one in re.findall(r"^\| `max_(?:http_)?connections` \| `(\d+)`",
                                                         (ROOT / "docs/configuration.md").read_text(), re.M))
        self.assertGreater(connections, 0)
        limit = int(unit["LimitNOFILE"])
        self.assertGreaterEqual(limit - max(32, limit // 10), connections)
        self.assertEqual(unit["StateDirectory"], "nissa")

    def test_the_memory_that_the_unit_advises_suits_the_defaults_with_all_the_slos_there_may_be(self):
        told = run(PROGRAMS / "nissad", "--check-config", "--config", ROOT / "deploy/nissa.toml").stdout
        in_all = int(re.search(r"^  (\d+) MiB +in all", told, re.M).group(1)) << 20
        of_an_slo = int(re.search(r"An SLO takes (\d+) B", told).group(1))
        advised = int(re.search(r"^#MemoryMax=(\d+)G$", UNIT.read_text(), re.M).group(1)) << 30
        self.assertGreater(0.8 * advised, in_all + 10_000 * of_an_slo)


class TheDocument(unittest.TestCase):
    """docs/operations.md says what is there."""

    def test_it_names_every_file_that_is_for_operators_and_none_that_is_not_there(self):
        named = set(re.findall(r"`(deploy/[\w./@-]+)`", text_of("operations.md")))
        there = {str(one.relative_to(ROOT)) for one in (ROOT / "deploy").rglob("*")
                 if one.is_file() and "demo" not in one.parts and one.suffix != ".pyc"}
        self.assertEqual(named, there)

    def test_it_lists_every_alert_by_its_severity(self):
        listed = {cells[0]: set(re.findall(r"(?:Nissa|ErrorBudget)\w+", cells[1]))
                  for cells in rows(section("operations.md", "Is it well?")) if cells[0] in ("page", "ticket", "none")}
        written = {}
        for name, _, rest in alerts():
            written.setdefault(re.search(r"severity: (\w+)", rest).group(1), set()).add(name)
        self.assertEqual(listed, written)

    def test_it_has_every_exit_code(self):
        listed = [cells[0] for cells in rows(section("operations.md", "How it ends"))[1:]]
        codes = re.findall(r"exit_\w+ = (\d)", (ROOT / "src/app/exit_code.hpp").read_text())
        self.assertEqual(listed, [*codes, "by a signal"])

    def test_its_line_for_the_state_makes_the_configuration_fit_the_unit(self):
        command = re.search(r"^sed -i .*$", section("operations.md", "As a service"), re.M).group(0)
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "nissa.toml"
            shutil.copy(ROOT / "deploy/nissa.toml", config)
            subprocess.run(["sh", "-c", command.replace("/etc/nissa/nissa.toml", str(config))], check=True)
            told = run(PROGRAMS / "nissad", "--check-config", "--config", config)
            self.assertEqual(told.returncode, 0, told.stdout)
            given = told.stdout.split("settings given in the file")[1]
            self.assertRegex(given, r'state_dir += "?/var/lib/nissa"?')

    def test_its_lines_for_curl_say_what_the_page_says(self):
        commands = [line for block in blocks(text_of("operations.md"), "sh") for line in block.splitlines()]
        commands += [one.replace("\\|", "|") for one in re.findall(r"^\| `(curl .*?)` \|", text_of("operations.md"), re.M)]
        self.assertEqual(len(commands), 6)
        nissad = Nissad()
        nissad.configure(TWO_SLOS, f'[journal]\nbackup_directory = "{nissad.folder}/backups"')
        with nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.addCleanup(agent.close)
            agent.ask(agent.batch([event(), event(service="shopp")]))
            said = []
            for command in commands:
                self.assertIn("http://127.0.0.1:7442/", command)
                done = run("sh", "-c", command.replace("127.0.0.1:7442", f"127.0.0.1:{nissad.admin_port}"))
                self.assertEqual(done.returncode, 0, command)
                said.append(done.stdout)
            level, backup, unmatched, matched, streams, metrics = said
            self.assertEqual(json.loads(level), {"level": "debug", "was": "info"})
            self.assertEqual(set(json.loads(backup)), {"directory", "lsn", "bytes", "state_id", "took_ms"})
            self.assertIn('"shopp"', unmatched)
            self.assertEqual([one["name"] for one in json.loads(matched)["slos"]], ["shop-availability", "shop-latency"])
            self.assertEqual([one["agent"] for one in json.loads(streams)["epochs"]], ["test"])
            self.assertIn("last_counted_ago_ms", json.loads(streams)["epochs"][0])
            for name in ("events_total", "rejected_events_total", "unmatched_events_total"):
                self.assertIn(f"nissa_ingest_{name}", metrics)
            self.assertIn("nissa_ingest_unmatched_events_total 1\n", metrics)
            check_books(nissad)


class AnOlderCopy(unittest.TestCase):
    """What docs/operations.md says about restoring one."""

    def total(self, nissad):
        return nissad.window("shop-availability", "1h")["total"]

    def test_it_is_begun_as_the_same_state_and_what_was_acknowledged_since_is_gone(self):
        with Nissad() as nissad:
            state, copy = nissad.folder / "state", nissad.folder / "copy"
            old, young = Agent(nissad.tcp_port), Agent(nissad.tcp_port)
            self.addCleanup(lambda: (old.close(), young.close()))
            first = old.connect().batch([event()] * 10)
            self.assertEqual(old.ask(first).status, pb.Ack.COUNTED)
            self.assertEqual(nissad.stop(), 0)
            shutil.copytree(state, copy)
            old.close()
            nissad.start()
            second = old.connect().batch([event()] * 5)
            self.assertEqual(old.ask(second).status, pb.Ack.COUNTED)
            young.connect()
            self.assertEqual(young.ask(young.batch([event()] * 3)).status, pb.Ack.COUNTED)
            self.assertEqual(self.total(nissad), 18)
            id_before = old.hello.now.state_id
            self.assertEqual(nissad.stop(), 0)
            old.close(), young.close()
            newer_anchor = (state / "ANCHOR").read_bytes()
            shutil.rmtree(state)
            shutil.copytree(copy, state)
            nissad.start()
            self.assertEqual(self.total(nissad), 10)
            old.connect(), young.connect()
            self.assertEqual((old.hello.now.state_id, old.hello.epoch_known, young.hello.epoch_known),
                             (id_before, True, False))
            self.assertEqual(old.ask(first).status, pb.Ack.DUPLICATE)
            self.assertEqual(old.ask(second).status, pb.Ack.COUNTED)  # as if its ack had been lost: the copy has not got it
            self.assertEqual(self.total(nissad), 15)
            check_books(nissad)
            self.assertEqual(nissad.stop(), 0)
            shutil.rmtree(state)
            shutil.copytree(copy, state)
            (state / "ANCHOR").write_bytes(newer_anchor)
            with self.assertRaisesRegex(AssertionError, "ended with 3"):
                nissad.start()


class WhatDebianStarts(unittest.TestCase):
    def test_no_service_of_a_peer_is_enabled_or_runs(self):
        for service in ("nginx", "prometheus"):
            left = [str(one) for folder in ("/etc/systemd/system", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc5.d")
                    for one in pathlib.Path(folder).glob(f"**/*{service}*") if re.match(rf"(S\d\d)?{service}(\.service)?$", one.name)]
            self.assertEqual(left, [], f"{service} would start at the next boot: deploy/install-packages should see to it")
            pid_file = pathlib.Path(f"/run/{service}.pid")
            running = pid_file.exists() and pathlib.Path(f"/proc/{pid_file.read_text().strip() or 0}").exists()
            self.assertFalse(running, f"{service} runs as a service")
        for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = process.read_bytes().replace(b"\0", b" ").strip()
            except OSError:
                continue  # it has ended
            # As Debian's units and scripts start them.
            self.assertFalse(command.startswith(b"nginx: master process /usr/sbin/nginx -g"), command)
            self.assertNotEqual(command, b"/usr/bin/prometheus")


if __name__ == "__main__":
    unittest.main()
