"""The tree that is looked at, and what was found wrong in it."""
import pathlib


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.src = self.root / "src"
        self.test = self.root / "test"
        self.problems = []

    def report(self, path, line, message):
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def text_of(self, name):
        """A document's text; one that is missing is a problem, not a crash."""
        path = self.root / name
        if not path.exists():
            self.problems.append(f"{name}:1: is missing")
            return ""
        return path.read_text()

    def rooms(self):
        return sorted(one for one in self.src.iterdir() if one.is_dir())

    def sources(self):
        """All C++ of ours; files that must not compile are bad on purpose."""
        for folder in (self.src, self.test, self.root / "include"):
            for path in sorted([*folder.rglob("*.cpp"), *folder.rglob("*.hpp")]):
                if "must_not_compile" not in path.parts:
                    yield path

    def relative(self, path):
        return str(path.relative_to(self.root))
