#!/usr/bin/python3
"""States of other releases: that of an earlier one is served, that of a newer one is refused by name and left alone;
and what verify says of a state, also of one that is being written."""
import contextlib
import json
import pathlib
import shutil
import sqlite3
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import Agent, event, pb  # noqa: E402
from support.nissad import ROOT, TWO_SLOS, Nissad, check_books  # noqa: E402
from support.states import files_in, run_nissad  # noqa: E402

FIXTURE = ROOT / "test/fixtures/state-v1"
BACKUP = ROOT / "test/fixtures/state-v1-backup"
SLOT_SIZE = 512


def crc32c(data, crc=0):
    """CRC-32C, bit by bit (docs/journal-format.md)."""
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def newer_anchor(state):
    data = bytearray((state / "ANCHOR").read_bytes())
    for slot in (0, 4096):
        struct.pack_into("<I", data, slot + 8, 2)
        struct.pack_into("<I", data, slot + SLOT_SIZE - 4, crc32c(data[slot:slot + SLOT_SIZE - 4]))
    (state / "ANCHOR").write_bytes(data)


@contextlib.contextmanager
def database_of(state):
    """To be changed. Its log is there afterwards, as nissad leaves it, though this way of closing takes it away."""
    with contextlib.closing(sqlite3.connect(state / "state-1.db")) as database, database:
        yield database
    (state / "state-1.db-wal").touch()


def newer_database(state):
    with database_of(state) as database:
        database.execute("PRAGMA user_version=2")


def newer_record(state):
    """The last one, as a later program would write it: its own CRC and the table's are right."""
    with database_of(state) as database:
        lsn, count, total, record = database.execute(
            "SELECT lsn, row_count, row_sum, bytes FROM records ORDER BY lsn DESC LIMIT 1").fetchone()
        record = b"\2" + record[1:-4]
        record += struct.pack("<I", crc32c(record))
        crc = crc32c(struct.pack("<Qqq", lsn, count, total) + record)
        database.execute("UPDATE records SET bytes = ?, crc = ? WHERE lsn = ?", (record, crc, lsn))


def copy_of_fixture(folder, fixture=FIXTURE):
    shutil.copytree(fixture, folder, ignore=shutil.ignore_patterns("*.txt"))


def expected_of(fixture):
    return dict(line.split(" ", 1) for line in (fixture / "expected.txt").read_text().splitlines())


class Formats(unittest.TestCase):
    def test_a_newer_anchor_database_or_record_is_refused_as_newer_and_nothing_is_changed(self):
        for make_newer in (newer_anchor, newer_database, newer_record):
            with self.subTest(newer=make_newer.__name__), tempfile.TemporaryDirectory() as folder:
                state = pathlib.Path(folder) / "state"
                copy_of_fixture(state)
                make_newer(state)
                before = files_in(state)
                config = pathlib.Path(folder) / "nissa.toml"
                config.write_text(f'state_dir = "{state}"\n{TWO_SLOS}')
                served = run_nissad("--config", config)
                self.assertEqual(served.returncode, 3, served.stderr)
                self.assertIn("newer", served.stderr)
                for look in (("inspect", state), ("verify", state)):
                    looked = run_nissad(*look)
                    self.assertEqual(looked.returncode, 3, looked)
                    self.assertIn("newer_version: ", looked.stdout + looked.stderr)
                self.assertEqual(files_in(state), before)

    def test_the_state_of_format_1_is_served_and_goes_on(self):
        with Nissad() as nissad:
            self.assertEqual(nissad.stop(), 0)
            state = nissad.folder / "state"
            shutil.rmtree(state)
            copy_of_fixture(state)
            found = json.loads(run_nissad("inspect", state, "--json").stdout)
            expected = expected_of(FIXTURE)
            self.assertEqual(found["state_hash"], f"{int(expected['state_hash']):016x}")
            self.assertEqual(str(found["lsn"]), expected["lsn"])
            nissad.start()
            agent = Agent(nissad.tcp_port).connect()
            self.addCleanup(agent.close)
            self.assertEqual(agent.ask(agent.batch([event()])).status, pb.Ack.COUNTED)
            check_books(nissad)
            self.assertEqual(nissad.stop(), 0)
            later = {one["id"]: one for one in json.loads(run_nissad("inspect", state, "--json").stdout)["slos"]}
            for slo in found["slos"]:
                self.assertEqual(later[slo["id"]]["lifetime"], slo["lifetime"])
            self.assertEqual(run_nissad("verify", state).returncode, 0)

    def test_a_backup_of_format_1_is_restored_with_all_that_was_in_it(self):
        with Nissad() as nissad:
            self.assertEqual(nissad.stop(), 0)
            state = nissad.folder / "state"
            shutil.rmtree(state)
            copy_of_fixture(state, BACKUP)
            found = json.loads(run_nissad("inspect", state, "--json").stdout)
            expected = expected_of(BACKUP)
            self.assertEqual((found["backup"], int(found["state_id"], 16)), (True, int(expected["state_id"])))
            self.assertEqual(found["state_hash"], f"{int(expected['state_hash']):016x}")
            nissad.start()
            self.assertIn("a backup is restored", nissad.log_text())
            self.assertIn(f"copy_of={found['state_id']} ", nissad.log_text())
            for slo, lifetime in (("shop-availability", "40 of 44"), ("shop-latency", "32 of 40")):
                counted = nissad.slo(slo)["lifetime"]
                self.assertEqual(f"{counted['good']} of {counted['total']}", lifetime)
            # One of its agents goes on: a key that the backup has is known.
            agent = Agent(nissad.tcp_port, epoch=0xf4f2da2e51417f85)
            agent.seen = pb.EpochSeen(state_id=int(found["state_id"], 16), running_ms=6)
            agent.connect()
            self.addCleanup(agent.close)
            other = agent.ask(agent.batch([event()], sequence=4))
            self.assertEqual(other.status, pb.Ack.CONFLICT)
            self.assertEqual(agent.ask(agent.batch([event()], sequence=5)).status, pb.Ack.COUNTED)
            self.assertEqual(nissad.slo("shop-availability")["lifetime"]["total"], 45)
            check_books(nissad)


class Verify(unittest.TestCase):
    def test_a_state_is_sound_while_it_is_written_and_after_a_kill_and_a_stop(self):
        with Nissad() as nissad:
            agent = Agent(nissad.tcp_port).connect()
            self.addCleanup(agent.close)
            for _ in range(5):
                agent.ask(agent.batch([event()]))
                verified = run_nissad("verify", nissad.folder / "state")
                self.assertEqual(verified.returncode, 0, verified)
                self.assertTrue(all(line.startswith("ok: ") for line in verified.stdout.splitlines()), verified.stdout)
            check_books(nissad)
            nissad.kill()
            self.assertEqual(run_nissad("verify", nissad.folder / "state").returncode, 0)
            nissad.start()
            self.assertEqual(nissad.stop(), 0)
            before = files_in(nissad.folder / "state")
            self.assertEqual(run_nissad("verify", nissad.folder / "state").returncode, 0)
            self.assertEqual(files_in(nissad.folder / "state"), before)

    def test_one_damaged_slot_of_anchor_is_a_warning(self):
        with tempfile.TemporaryDirectory() as folder:
            state = pathlib.Path(folder) / "state"
            copy_of_fixture(state)
            data = bytearray((state / "ANCHOR").read_bytes())
            lsn_of = [struct.unpack_from("<Q", data, slot + 32)[0] for slot in (0, 4096)]
            data[4096 * (lsn_of[0] > lsn_of[1]) + 100] ^= 1
            (state / "ANCHOR").write_bytes(data)
            verified = run_nissad("verify", state)
            self.assertEqual(verified.returncode, 0, verified)
            self.assertRegex(verified.stdout, "(?m)^warning: ANCHOR, slot [01]: ")

    def test_damage_that_a_start_does_not_need_to_see_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            state = pathlib.Path(folder) / "state"
            copy_of_fixture(state)
            with database_of(state) as database:
                first, = database.execute("SELECT min(lsn) FROM records").fetchone()
                database.execute("UPDATE records SET bytes = zeroblob(length(bytes)) WHERE lsn = ?", (first,))
            self.assertEqual(run_nissad("inspect", state).returncode, 0)
            verified = run_nissad("verify", state)
            self.assertEqual(verified.returncode, 3, verified)
            self.assertRegex(verified.stdout, rf"(?m)^damaged: bad_crc: .*record {first} ")

    def test_what_is_no_state_is_not_called_damaged(self):
        with tempfile.TemporaryDirectory() as empty:
            for folder in (empty, empty + "/none"):
                verified = run_nissad("verify", folder)
                self.assertEqual((verified.returncode, verified.stdout), (1, ""), verified)
                self.assertIn(folder, verified.stderr)
            self.assertEqual(list(pathlib.Path(empty).iterdir()), [])


if __name__ == "__main__":
    unittest.main()
