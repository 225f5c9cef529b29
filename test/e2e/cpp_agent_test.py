#!/usr/bin/python3
"""The agent library as a program of somebody else uses it: installed, found by pkg-config, and compiled as
docs/protocol.md says; its example and client.hpp's, as they stand there, against the real server."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.agent import pb  # noqa: E402
from support.documents import blocks, section, tables  # noqa: E402
from support.nissad import BUILD, ROOT, Nissad, check_books  # noqa: E402

HERE = section("protocol.md", "Without writing an agent")
PROGRAM, = blocks(HERE, "cpp")
COMMANDS = blocks(HERE, "sh")[0].splitlines()
HEADER = (ROOT / "include" / "nissa" / "client.hpp").read_text()
SLO = '[[slo]]\nname = "orders"\nservice = "checkout"\noperation = "POST /orders"\nsli = "availability"\nobjective = "99 %"\n'


def comment_blocks():
    """The indented blocks of the comment at the header's top: its example, and how to compile it."""
    lines = [line[2:] for line in HEADER[:HEADER.index("#pragma once")].splitlines()]
    return [block.replace("\n     ", "\n") for block in re.findall(r"(?:^     .*\n)+", "\n".join(lines), re.M)]


def at_port(source):
    """The source with the test's server for the host that it names."""
    host = 'options.host = "nissa.example.net";'
    assert source.count(host) == 1, source
    return "#include <cstdlib>\n" + source.replace(
        host, 'options.host = "127.0.0.1"; options.port = static_cast<std::uint16_t>(std::atoi(std::getenv("PORT")));')


class TheInstalledLibrary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="nissa-cpp-agent-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        install = next(line for line in COMMANDS if "meson install" in line).removeprefix("sudo ").replace("-C build", f"-C {BUILD}")
        subprocess.run(f"{install} --destdir {cls.root}/installed", shell=True, check=True, stdout=subprocess.DEVNULL)
        cls.files = sorted(path for path in cls.root.rglob("*") if path.is_file())
        options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
        prefix = next(one["value"] for one in options if one["name"] == "prefix")
        pc = next(path for path in cls.files if path.suffix == ".pc")
        # Where it is instead of where it would be.
        pc.write_text(re.sub(r"^prefix=.*$", f"prefix={cls.root}/installed{prefix}", pc.read_text(), flags=re.M))
        cls.environment = {**os.environ, "PKG_CONFIG_PATH": str(pc.parent)}

    def compile(self, source):
        """By the command of the page, in a folder where nothing else is."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        (folder / "orders.cpp").write_text(at_port(source))
        command = next(line for line in COMMANDS if line.startswith("clang++"))
        made = subprocess.run(command, shell=True, cwd=folder, env=self.environment, capture_output=True, text=True)
        self.assertEqual((made.returncode, made.stdout + made.stderr), (0, ""))
        return folder / "orders"

    def check_runs(self, program, times):
        with Nissad(SLO) as nissad:
            for _ in range(times):
                ended = subprocess.run([program], env={**os.environ, "PORT": str(nissad.tcp_port)}, timeout=10,
                                       capture_output=True, text=True)
                self.assertEqual((ended.returncode, ended.stdout + ended.stderr), (0, ""))
            self.assertEqual(nissad.slo("orders")["lifetime"], {"good": times, "total": times})
            check_books(nissad)

    def test_header_archive_and_pkg_config_file_are_installed_and_nothing_else(self):
        self.assertEqual([path.name for path in self.files], ["client.hpp", "libnissa-client.a", "nissa-client.pc"])
        archive = next(path for path in self.files if path.suffix == ".a")
        with open(archive, "rb") as file:
            self.assertEqual(file.read(8), b"!<arch>\n", "the objects themselves, not their paths in the build folder")

    def test_the_program_of_the_page_is_counted_exactly(self):
        self.check_runs(self.compile(PROGRAM), times=20)

    def test_the_example_of_the_header_is_counted_exactly(self):
        example, how = comment_blocks()
        self.assertIn(how.strip(), COMMANDS, "the header compiles as the page does")
        self.check_runs(self.compile(f"#include <nissa/client.hpp>\nint main() {{\n{example}\n}}\n"), times=5)


class TheFaultsOfSingleEvents(unittest.TestCase):
    def test_the_page_the_header_and_the_schema_have_the_same_numbers_and_names(self):
        table = next(one for one in tables((ROOT / "docs" / "protocol.md").read_text()) if one[0][:2] == ["number", "fault"])
        shown = {name: int(number) for number, name, _ in table[1:]}
        self.assertEqual(shown, dict(pb.EventFault.items()))
        declared = re.search(r"^enum class EventFault .*?\{(.*?)\};", HEADER, re.M | re.S).group(1)
        self.assertEqual({name.upper(): int(number) for name, number in re.findall(r"(\w+) = (\d+)", declared)}, shown)


if __name__ == "__main__":
    unittest.main()
