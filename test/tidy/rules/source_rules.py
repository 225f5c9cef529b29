"""Rules over the lines of one source: what may be included where, what may not be called, how long things may be."""
import re

from . import cpp_text

HEAVY = [  # header, where it may stand, why
    (r"boost/asio", r"src/(async|net)/|src/\w+/\w*_component\.cpp|src/(ingest|client|app)/\w+\.cpp|test/",
     "Asio costs a second a file"),
    (r"boost/beast", r"src/net/|test/", "Beast costs many seconds a file"),
    (r"nissa\.pb\.h|google/protobuf", r"src/wire/messages\.cpp|test/", "generated code stands behind wire/messages"),
    (r"toml\+\+", r"src/config/toml_table\.cpp", "toml++ stands behind config/toml_table"),
    (r"prometheus/", r"src/selfmetrics/exposition\.cpp", "prometheus-cpp stands behind selfmetrics/exposition"),
    (r"sqlite3\.h", r"src/journal/(sqlite_\w+|anchor\w*)\.(cpp|hpp)|test/", "SQLite stands behind journal/journal.hpp"),
    (r"boost/json", r"src/admin/json_\w+\.cpp|src/tools/|test/", "Boost.JSON stands behind admin/json_body"),
    (r"openssl", r"src/net/", "TLS stands behind async/byte_stream.hpp"),
]
FORBIDDEN = [  # in src: pattern, where it may stand all the same, what to do instead and why
    (re.compile(r"\b(\w+_clock::now|clock_gettime|gettimeofday|std::time\(|time\((nullptr|NULL|0)\)|usleep\(|nanosleep\(|"
                r"sleep\(|sleep_for\(std|sleep_until\(std|this_thread::sleep)"), r"src/base/clock\.cpp|src/async/",
     "asks for the time or sleeps; take base/clock.hpp or async/timer.hpp, because time is injected"),
    (re.compile(r"(?<!static_)\bassert\s*\("), r"$^",
     "assert: say violation() and take the conservative answer, because no input ends the process"),
    (re.compile(r"\bdetached\b"), r"src/(async|app)/", "detached: use spawn_on, because every task must be counted out"),
    (re.compile(r"\bany_completion_handler\b"), r"src/async/parked",
     "any_completion_handler: use Parked, because of its traps in Boost 1.81"),
    (re.compile(r"\bbind_executor\b"), r"src/async/",
     "bind_executor: use run_on, because a coroutine must come back to its own executor"),
]
OUR_OWN_BESIDE_ROOMS = {"nissa", "support", "oracle", "simulation"}  # views of the tests, and the client's header
MOST_LINES, MOST_COLUMNS, MOST_FUNCTION_LINES = 500, 120, 70


def check(tree):
    rooms = {folder.name for folder in tree.rooms()}
    for path in tree.sources():
        check_lines(tree, path, rooms)
        length = len(path.read_text().splitlines())
        if length > MOST_LINES:
            tree.report(path, MOST_LINES, f"{length} lines; split it by verb, because nobody reads more than {MOST_LINES}")
        for first, lines in cpp_text.functions(path):
            if lines > MOST_FUNCTION_LINES and tree.src in path.parents:
                tree.report(path, first, f"a function of {lines} lines; split it, because {MOST_FUNCTION_LINES} fit on a screen")
    check_marks(tree)


def check_lines(tree, path, rooms):
    relative = tree.relative(path)
    for number, line, code in cpp_text.code_lines(path):
        include = re.match(r'\s*#include\s+([<"])([^>"]+)[>"]', code)
        if include:
            check_include(tree, path, number, include.group(1) == '"', include.group(2), rooms)
        if relative.startswith("src/"):
            for pattern, allowed, message in FORBIDDEN:
                if pattern.search(code) and not re.match(allowed, relative):
                    tree.report(path, number, message)
        if line is not None and len(line) > MOST_COLUMNS:
            tree.report(path, number, f"longer than {MOST_COLUMNS} columns; break the line, because two files stand side by side")


def check_include(tree, path, number, quoted, name, rooms):
    relative = tree.relative(path)
    first = name.split("/")[0]
    if "../" in name or name.startswith("./"):
        tree.report(path, number, 'an include with "../" goes round the views; name the room instead')
    elif quoted and "/" not in name and relative.startswith(("src/", "include/")) and name != "nissa.pb.h":
        tree.report(path, number, f'include "{path.parent.name}/{name}" instead of "{name}", because the room must be seen')
    elif quoted and "/" in name and first not in rooms | OUR_OWN_BESIDE_ROOMS:
        tree.report(path, number, f'"{name}" names no room; use <> for what is not ours, because the room must be seen')
    elif not quoted and "/" in name and first in rooms:
        tree.report(path, number, f'include "{name}" in quotes, because angle brackets say that it is not ours')
    for pattern, allowed, why in HEAVY:
        if re.match(pattern, name) and not re.match(allowed, relative):
            tree.report(path, number, f"<{name}> may not stand here; go through its room, because {why}")


def check_marks(tree):
    """Nothing that had to be done before it is committed is left, in whatever language."""
    mark = "TODO" + "(now)"
    for folder in ("src", "test", "include", "proto", "docs", "deploy"):
        for path in sorted((tree.root / folder).rglob("*")):
            if not path.is_file() or path.is_symlink() or path.suffix in (".pyc", ".bin"):
                continue
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if mark in line:
                    tree.report(path, number, f"{mark}: do it now, because nobody will do it later")
