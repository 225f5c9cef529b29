#!/usr/bin/python3
"""The disk that a state takes is bounded, however long agents send: as docs/operations.md, "How much disk", says."""
import pathlib
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event  # noqa: E402
from support.nissad import PROGRAMS, Nissad, check_books  # noqa: E402
from support.scenario import inspected  # noqa: E402

MIB = 1 << 20
SLOS = 8
# Each event in a 10 s bucket of its own, more or less: records of many bytes, and counts that move all over the rings.
SHAPE = ["--services", "1", "--slos", str(SLOS), "--series", "20", "--disorder", "30days", "--batch", "4"]
RECORDS = 3 * MIB            # 3 × snapshot_after
COUNTS = 3 * SLOS * 25_000   # three versions of 25 kB an SLO; the keys of eight agents are next to nothing
PAGES = 1.1                  # SQLite's
LOG = 2 * MIB                # 2 × checkpoint_bytes


class JournalBounds(unittest.TestCase):
    def setUp(self):
        self.slos = subprocess.run([PROGRAMS / "nissa-load", "--print-config", *SHAPE], check=True, text=True,
                                   capture_output=True).stdout

    def sent_to(self, nissad, *how):
        """While nissa-load sends: the metrics, again and again. Its books agree in the end."""
        load = subprocess.Popen([PROGRAMS / "nissa-load", "--server", f"127.0.0.1:{nissad.tcp_port}", "--admin",
                                 f"127.0.0.1:{nissad.admin_port}", *SHAPE, "--connections", "8", "--depth", "16",
                                 "--warmup", "0", *how], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while load.poll() is None:
            yield nissad.metrics()
            time.sleep(0.05)
        self.assertEqual(load.returncode, 0, load.stdout.read())
        load.stdout.close()

    def check_kept(self, nissad):
        """Two snapshots, and all records from the begin of the older one on: what inspect shows."""
        agent = Agent(nissad.tcp_port).connect()
        self.addCleanup(agent.close)
        for _ in range(50):  # what the last one left behind goes with the next commits
            shown = inspected(nissad)
            if len(shown["snapshots"]) == 2 and all(one["complete_lsn"] for one in shown["snapshots"]):
                break
            agent.ask(agent.batch([event()]))
        self.assertEqual(len(shown["snapshots"]), 2, shown["snapshots"])
        self.assertLessEqual(shown["first_lsn"], shown["snapshots"][0]["begin_lsn"])
        self.assertEqual(shown["sound_records"], [[shown["first_lsn"], shown["lsn"]]])
        return shown

    def test_many_times_snapshot_after_of_records_stay_within_three_of_it_and_the_log_within_two_checkpoints(self):
        journal = '[journal]\nsnapshot_after = "1 MiB"\ncheckpoint_bytes = "1 MiB"\nsnapshot_interval = "1d"\n'
        with Nissad(self.slos, journal) as nissad:
            lowest, most = [], {"database": 0, "wal": 0}
            while nissad.metrics()["nissa_journal_record_bytes_total"] < 2 * RECORDS:
                for metrics in self.sent_to(nissad, "--batches", "10000"):
                    for file in most:
                        most[file] = max(most[file], metrics[f'nissa_journal_bytes{{file="{file}"}}'])
                    lowest.append(inspected(nissad)["first_lsn"])
            check_books(nissad)
            self.assertLess(most["database"], PAGES * (RECORDS + COUNTS))
            self.assertLess(most["wal"], LOG)
            self.assertLess(self.check_kept(nissad)["record_bytes"], RECORDS)
            self.assertEqual(lowest, sorted(lowest))
            self.assertGreater(len(set(lowest)), 2, "the lowest record did not rise")

    def test_with_less_traffic_a_snapshot_each_interval_lets_older_records_go(self):
        with Nissad(self.slos, '[journal]\nsnapshot_interval = "1s"\n') as nissad:
            lowest = [inspected(nissad)["first_lsn"] for _ in self.sent_to(nissad, "--rate", "2000", "--seconds", "5")]
            metrics = check_books(nissad)
            self.assertLess(metrics["nissa_journal_record_bytes_total"], MIB, "snapshot_after would have been enough")
            self.check_kept(nissad)
            self.assertEqual(lowest, sorted(lowest))
            self.assertGreater(len(set(lowest)), 2, "the lowest record did not rise")


if __name__ == "__main__":
    unittest.main()
