#!/usr/bin/python3
"""A disk whose syncs fail, once or until it is mended, under the real nissad: it goes on by itself, in a new file."""
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, AgentTest, event, pb  # noqa: E402
from support.nissad import PROGRAMS, ROOT, SHOP_AVAILABILITY, Nissad, check_books  # noqa: E402
from support.raw_http import until  # noqa: E402

# More than goes into one piece on its way into a new file.
MANY = "".join(SHOP_AVAILABILITY.replace("shop", f"shop-{number}") for number in range(3000))


class Disk:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.shim, self.order = (pathlib.Path(self.folder.name) / name for name in ("failing_sync.so", "fail"))
        subprocess.run(["clang-19", "-shared", "-fPIC", "-o", self.shim, ROOT / "test/support/failing_sync.c"], check=True)
        self.under = ["env", f"LD_PRELOAD={self.shim}", f"NISSA_FAILING_SYNC={self.order}"]

    def fail(self, times):
        new = self.order.with_suffix(".new")
        new.write_text(str(times))
        new.rename(self.order)

    def mend(self):
        self.order.unlink()


def rewrites(nissad):
    samples = nissad.metrics()
    return tuple(int(samples[f'nissa_journal_rewrites_total{{result="{one}"}}']) for one in ("done", "failed"))


class FailingDisk(AgentTest):
    def setUp(self):
        self.disk = Disk()
        self.addCleanup(self.disk.folder.cleanup)

    def server(self, more=""):
        return Nissad(SHOP_AVAILABILITY + more, under=self.disk.under)

    def counted(self, nissad):
        return nissad.slo("shop-availability")["lifetime"]["total"]

    def ask_until_final(self, agent, batch):
        """Every answer, the last one of which says that it is counted."""
        answers = []
        while not answers or answers[-1].status == pb.Ack.REFUSED:
            self.assertLess(len(answers), 100, answers[-1:])
            time.sleep(min(answers[-1].retry_after_ms, 300) / 1000 if answers else 0)
            answers.append(agent.ask(batch))
        return answers

    def test_after_one_failed_sync_it_goes_on_in_a_new_file_and_counts_what_was_refused_when_it_comes_again(self):
        for more in ("", MANY):
            with self.subTest(slos=more.count("[[slo]]") + 1), self.server(more) as nissad:
                agent = self.agent(nissad)
                self.assertEqual(agent.ask(agent.batch([event()] * 3)).status, pb.Ack.COUNTED)
                self.disk.fail(1)
                batch = agent.batch([event()] * 4)
                answers = self.ask_until_final(agent, batch)
                self.assertEqual(answers[0].reason, pb.JOURNAL, answers)
                self.assertEqual(answers[-1].status, pb.Ack.COUNTED)
                self.assertEqual(self.counted(nissad), 7)
                self.assertEqual(rewrites(nissad), (1, 0))
                self.assertEqual(nissad.page("/readyz"), (200, "ready\n"))
                self.assertIn("the state goes on in a new file", nissad.log_text())
                databases = [one.name for one in (nissad.folder / "state").glob("state-*.db")]
                self.assertEqual(len(databases), 1)
                self.assertNotEqual(databases, ["state-1.db"])
                nissad.kill()
                nissad.start()
                self.assertEqual(self.counted(nissad), 7)
                again = Agent(nissad.tcp_port, epoch=agent.epoch)
                again.seen = agent.seen
                again.connect()
                self.addCleanup(again.close)
                self.assertEqual(again.ask(batch).status, pb.Ack.DUPLICATE)
                check_books(nissad)
                self.assertEqual(nissad.stop(), 0)
                verified = subprocess.run([PROGRAMS / "nissad", "verify", nissad.folder / "state"], text=True, capture_output=True)
                self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)

    def test_while_syncs_go_on_failing_it_lives_and_says_so_and_goes_on_when_they_do_not(self):
        with self.server(MANY) as nissad:
            agent = self.agent(nissad)
            self.assertEqual(agent.ask(agent.batch([event()] * 3)).status, pb.Ack.COUNTED)
            self.disk.fail(-1)
            batch = agent.batch([event()] * 4)
            self.assertEqual(agent.ask(batch).reason, pb.JOURNAL)
            self.assertEqual(agent.ask(batch).reason, pb.JOURNAL_SLOW)
            self.assertTrue(until(lambda: rewrites(nissad)[1] >= 2))
            status, text = nissad.page("/readyz")
            self.assertEqual(status, 503)
            self.assertIn("journal_failing", text)
            self.assertRegex(text, "disk I/O error.*the last attempt at a new file failed too")
            self.assertRegex(nissad.page("/healthz")[1], "^alive, but ")
            self.assertEqual(self.counted(nissad), 3)
            self.disk.mend()
            self.assertIn(self.ask_until_final(agent, batch)[-1].status, (pb.Ack.COUNTED, pb.Ack.DUPLICATE))
            self.assertEqual(self.counted(nissad), 7)
            self.assertEqual(rewrites(nissad)[0], 1)
            self.assertEqual(nissad.page("/readyz"), (200, "ready\n"))
            check_books(nissad)

    def test_it_can_be_stopped_and_killed_while_syncs_fail(self):
        for kill in (False, True):
            with self.subTest(kill=kill), self.server() as nissad:
                agent = self.agent(nissad)
                self.assertEqual(agent.ask(agent.batch([event()] * 3)).status, pb.Ack.COUNTED)
                self.disk.fail(-1)
                self.assertEqual(agent.ask(agent.batch([event()] * 4)).reason, pb.JOURNAL)
                self.assertTrue(until(lambda: rewrites(nissad)[1] >= 1))
                if kill:
                    nissad.kill()
                else:
                    self.assertEqual(nissad.stop(), 0)
                self.disk.mend()
                nissad.start()
                self.assertIn(self.counted(nissad), (3, 7))  # what was refused is counted or not
                again = self.agent(nissad)
                before = self.counted(nissad)
                self.assertEqual(again.ask(again.batch([event()])).status, pb.Ack.COUNTED)
                self.assertEqual(self.counted(nissad), before + 1)
                check_books(nissad)


if __name__ == "__main__":
    unittest.main()
