#!/usr/bin/python3
"""The file's own limits at their edges: every range that docs/configuration.md states, the number of SLOs, the length of
names, and the memory that all of it may take."""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.documents import rows, section  # noqa: E402
from support.nissad import PROGRAMS  # noqa: E402

SECTIONS = ("ingest", "gate", "journal")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "us": 1, "ms": 1000, "s": 10**6, "min": 60 * 10**6,
         "h": 3600 * 10**6, "d": 86400 * 10**6}
SLO = '[[slo]]\nname = "{}"\nsli = "availability"\nobjective = "99 %"\n'


def checked(text):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        return subprocess.run([PROGRAMS / "nissad", "--check-config", "--config", file.name], text=True,
                              capture_output=True, timeout=60)


class Range:
    """Of a key, in bytes, in microseconds, or a bare number."""

    def __init__(self, low, high):
        low, high = (one.replace("\u202f", "").strip() for one in (low, high))
        unit = lambda text: re.sub(r"[\d ]", "", text)
        self.is_size = unit(high) in ("B", "KiB", "MiB", "GiB")
        self.is_time = unit(high) in ("us", "ms", "s", "min", "h", "d")
        number = lambda text: int(re.sub(r"\D", "", text)) * UNITS.get(unit(text), 1)
        self.least, self.most = number(low), number(high)

    def written(self, value):
        if self.is_size:
            return f'"{value} B"'
        return f'"{value} us"' if self.is_time and value % 1000 else f'"{value // 1000} ms"' if self.is_time else str(value)

    def step(self):
        return 1000 if self.is_time else 1


def documented_ranges():
    found = {}
    for name in SECTIONS:
        for row in rows(section("configuration.md", f"[{name}]")):
            if len(row) == 4 and " – " in row[2]:
                found[name, row[0].strip("`")] = Range(*row[2].split(" – "))
    return found


class Ranges(unittest.TestCase):
    def problems(self, choose):
        """The keys that a file is refused for in which each has what `choose` says of its range."""
        ranges = documented_ranges()
        text = ""
        for name in SECTIONS:
            text += f"[{name}]\n" + "".join(f"{key} = {one.written(choose(one))}\n"
                                            for (here, key), one in ranges.items() if here == name)
        said = checked(text + SLO.format("a")).stderr
        return set(re.findall(r": (\w+)\.(\w+): [^\n]*(?:out of range|expected a whole number from)", said)), said

    def test_each_range_holds_at_both_ends_and_nothing_beyond(self):
        ranges = documented_ranges()
        self.assertGreater(len(ranges), 25)
        for end in ("least", "most"):
            with self.subTest(end):
                beyond, said = self.problems(lambda one: getattr(one, end))
                self.assertEqual(beyond, set(), said)
        below, said = self.problems(lambda one: one.least - one.step() if one.least else one.most + one.step())
        self.assertEqual(below, set(ranges), said)
        above, said = self.problems(lambda one: one.most + one.step())
        self.assertEqual(above, set(ranges), said)


class Slos(unittest.TestCase):
    def test_ten_thousand_slos_and_not_one_more(self):
        tiny = '[ingest]\nremembered_identity_bytes = "1 MiB"\n'
        fits = tiny + "".join(SLO.format(f"slo-{number}") for number in range(10_000))
        self.assertEqual(checked(fits).returncode, 0)
        done = checked(fits + SLO.format("one-more"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("slo[10001].name of one-more: more than 10000 SLOs; split them over several servers", done.stderr)

    def test_a_name_has_256_bytes(self):
        self.assertEqual(checked(SLO.format("n" * 256)).returncode, 0)
        done = checked(SLO.format("n" * 257))
        self.assertEqual(done.returncode, 2)
        self.assertIn(":2:8: slo[1].name: ", done.stderr)


class Memory(unittest.TestCase):
    def told(self, critical, more=0):
        text = f'[gate]\ncritical_bytes = "{critical} B"\n[journal]\ntombstone_bytes = "{(8 << 20) + more} B"\n'
        done = checked(text + '[ingest]\nremembered_identity_bytes = "{}"\n'.format(self.identities) + SLO.format("a"))
        return done.returncode, done.stderr

    def test_one_byte_beyond_what_fits_the_memory_limit_is_refused_with_the_parts(self):
        low, high = 8 << 20, 16 << 30
        for self.identities in ("1 MiB", "16 GiB"):  # the latter where the machine is a large one
            if self.told(high)[0] == 2:
                break
        else:
            self.skipTest("this machine has more memory than the largest values take")
        if self.told(low)[0] == 2:
            self.skipTest("this machine has too little memory for the search")
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.told(middle)[0] == 0 else (low, middle)
        # It is the sum that counts, whichever part the byte is of.
        self.assertEqual([self.told(low, 1)[0], self.told(low - 1, 1)[0]], [2, 0])
        said = self.told(high)[1]
        self.assertEqual(said.count("\n"), 1, said)
        for part in ("gate.ingest_bytes 64 MiB", "gate.critical_bytes ", "journal.epoch_bytes 64 MiB", "1 SLOs ",
                     "expected at most 80 % of the memory limit of ", "lower one of them, or raise the limit"):
            self.assertIn(part, said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
