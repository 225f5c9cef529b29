"""What the documents show as code or as tables, so that it can be run or compared."""
import re

from .nissad import ROOT


def text_of(name):
    return (ROOT / "docs" / name).read_text()


def section(document, title):
    """The text under `## title`, to the next one."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text_of(document), re.M | re.S)
    if not found:
        raise AssertionError(f"docs/{document} has no section '{title}'")
    return found.group(1)


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def rows(text):
    """The cells of every table row, without the rules below the heads."""
    lines = re.findall(r"^\|(.*)\|$", text, re.M)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines if not re.match(r"^[-| ]+$", line)]


def tables(text):
    """Each table's rows, the head first."""
    return [rows(one) for one in re.findall(r"(?:^\|.*\|\n?)+", text, re.M)]
