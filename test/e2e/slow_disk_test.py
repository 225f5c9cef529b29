#!/usr/bin/python3
"""A disk that hangs, and one that comes back: the journal's thread of the real nissad is held where it is, as a disk would
hold it."""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import AgentTest, event, pb  # noqa: E402
from support.held import Held  # noqa: E402
from support.nissad import Nissad, check_books  # noqa: E402
from support.raw_http import until  # noqa: E402


class SlowDisk(AgentTest):
    def test_who_waits_is_told_and_counted_all_the_same_and_the_pages_say_what_is_slow(self):
        with Nissad() as nissad:
            agent = self.agent(nissad)
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            with Held(nissad.process) as held:
                batch = agent.batch([event()] * 2)
                answer = agent.ask(batch)
                self.assertEqual((answer.status, answer.reason), (pb.Ack.REFUSED, pb.JOURNAL_SLOW))
                self.assertTrue(until(lambda: "disk is slow" in nissad.page("/readyz")[1]))
                self.assertEqual(nissad.page("/readyz")[0], 200)
                self.assertRegex(nissad.page("/healthz")[1],
                                 r"^alive, but the disk is slow: a commit has been under way for \d+ s\n$")
                self.assertIn("the journal is slow", nissad.log_text())
                held.let_go()
            self.assertTrue(until(lambda: nissad.slo("shop-availability")["lifetime"]["total"] == 3))
            self.assertEqual(agent.ask(batch).status, pb.Ack.DUPLICATE)
            self.assertEqual(nissad.page("/readyz"), (200, "ready\n"))
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 3)
            check_books(nissad)

    def test_a_commit_that_never_ends_does_not_keep_the_server_from_its_end(self):
        with Nissad() as nissad:
            agent = self.agent(nissad)
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            with Held(nissad.process) as held:
                agent.send("batch", agent.batch([event()] * 2))
                time.sleep(0.1)  # it is in hand
                nissad.process.terminate()
                held.await_end()
            self.assertEqual(nissad.process.wait(30), 0)
            self.assertIn("a commit does not end: leaving without it", nissad.log_text())
            nissad.start()
            again = self.agent(nissad)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 1)
            self.assertEqual(again.ask(again.batch([event()] * 4)).status, pb.Ack.COUNTED)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 5)
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
