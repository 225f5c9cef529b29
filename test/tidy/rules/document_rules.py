"""Rules over documents: the tables are whole, both ways, and the files that are named exist."""
import re

READERS = "text|flag|integer|duration_ns|duration_ms|bytes|bytes_or_auto|texts|entries|choice"
# table.bytes("key", …) and the helpers of load_config and slo_section: read_bytes(table, "key", …)
KEY = re.compile(rf'(?:\.(?:{READERS})\(|\bread_\w+\(table, )"([a-z_]+)"')
METRIC = re.compile(r'Metric{"(\w+)",\s*Kind::(\w+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)}')
BESIDE_ROOMS = {"src", "test", "docs", "proto", "include", "deploy", "subprojects"}


def check(tree):
    check_metrics(tree)
    check_options(tree)
    check_named_files(tree, "docs/architecture.md")
    check_named_files(tree, "src/README.md")


def check_metrics(tree):
    """Names, types and help texts; the labels are compared with what a running server shows, by test/e2e/dashboard_test."""
    source, document = "src/selfmetrics/catalogue.cpp", "docs/metrics.md"
    metrics = {}
    for name, kind, texts in METRIC.findall(tree.text_of(source)):
        metrics[name] = (kind, "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', texts)).replace('\\"', '"'))
    compare(tree, document, r"^\| `((?:nissa|process)_[a-z0-9_]+)", set(metrics), "metric", source)
    for number, line in enumerate(tree.text_of(document).splitlines(), 1):
        row = re.match(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\| (.*) \|$", line)
        if row and row.group(1) in metrics and (row.group(2), row.group(4)) != metrics[row.group(1)]:
            kind, text = metrics[row.group(1)]
            tree.report(tree.root / document, number, f"{row.group(1)} is a {kind} with the help '{text}' in {source}; say the "
                                                      "same here, because users find it by either")
        elif not row and re.match(r"^\| `(?:nissa|process)_", line):
            tree.report(tree.root / document, number, "a metric's row is | `name` | type | labels | help |; write it so")


def check_options(tree):
    keys = set()
    for source in sorted((tree.src / "config").glob("*.cpp")):
        keys |= set(KEY.findall(source.read_text()))
    compare(tree, "docs/configuration.md", r"^\| `([a-z_]+)`", keys, "key", "src/config")


def compare(tree, document, row, names, kind, owner):
    rows = {}
    for number, line in enumerate(tree.text_of(document).splitlines(), 1):
        match = re.match(row, line)
        if match:
            rows[match.group(1)] = number
    for name in sorted(names - set(rows)):
        tree.report(tree.root / document, 1, f"{kind} {name} of {owner} is missing here; add its row, because users read this table")
    for name in sorted(set(rows) - names):
        tree.report(tree.root / document, rows[name], f"{kind} {name} is not in {owner}; take the row out, or build it")


def check_named_files(tree, document):
    """`path/from/the/root` and `room/file`, the latter without .hpp and .cpp."""
    for number, line in enumerate(tree.text_of(document).splitlines(), 1):
        for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)+)/?`", line):
            first = name.split("/")[0]
            if first in BESIDE_ROOMS:
                there = (tree.root / name).exists()
            else:
                there = (tree.src / name).exists() or any((tree.src / f"{name}{end}").exists() for end in (".hpp", ".cpp"))
            if not there:
                tree.report(tree.root / document, number, f"names {name}, which is not there; name what took its place")
