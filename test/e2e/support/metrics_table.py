"""docs/metrics.md as data, and queries in PromQL held against it."""
import re

from .documents import rows, text_of

OF_THE_TARGET = {"job", "instance"}  # Prometheus adds them
OF_PROMETHEUS = {"up": {}}           # made by the scrape


class Metric:
    def __init__(self, kind, labels, help_text):
        self.kind, self.labels, self.help = kind, labels, help_text


def documented():
    """name → Metric, as the table of docs/metrics.md says."""
    found = {}
    for cells in rows(text_of("metrics.md")):
        name = re.fullmatch(r"`((?:nissa|process)_[a-z0-9_]+)`", cells[0])
        if name:
            labels = [one for one in re.split(r",\s*", cells[2]) if one]
            found[name.group(1)] = Metric(cells[1], labels, cells[3])
    return found


def series_names(table):
    """The names of all series → the labels that they bear."""
    names = {name: {*OF_THE_TARGET, *labels} for name, labels in OF_PROMETHEUS.items()}
    for name, metric in table.items():
        labels = {*OF_THE_TARGET, *metric.labels}
        if metric.kind == "histogram":
            names.update({f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels})
        else:
            names[name] = labels
    return names


def check_query(query, table):
    """What is wrong with the names and labels in a query; nothing, if all exist."""
    names, problems = series_names(table), []
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)
    used = set()
    for name, selector in re.findall(r"\b((?:nissa|process)_\w+|up)\b\s*(\{[^}]*\})?", text):
        if name not in names:
            problems.append(f"{name} is no metric of docs/metrics.md")
            continue
        used |= names[name]
        problems += [f"{name} has no label {label}" for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)
                     if label not in names[name]]
    for labels in re.findall(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)", text):
        problems += [f"no metric of this query has the label {label}" for label in re.findall(r"\w+", labels)
                     if label not in used]
    return problems
