"""Rules over folders: what is built is what is there, and each room and each component says what it is."""
import re
import subprocess

PROGRAMS = {"send_main.cpp", "load_main.cpp"}  # built as programs, not as parts of a room


def check(tree):
    readme = tree.text_of("src/README.md")
    table = tree.text_of("src/meson.build")
    for folder in tree.rooms():
        compare_list(tree, folder, {one.name for one in folder.glob("*.cpp")} - PROGRAMS)
        if not re.search(rf"^\| \d \| `{folder.name}` \|", readme, re.M):
            tree.report(tree.src / "README.md", 1, f"room {folder.name} has no line; add one, because a stranger begins here")
        if f"'{folder.name}': [" not in table:
            tree.report(tree.src / "meson.build", 1, f"room {folder.name} is not in the table; add it, else it is not built")
    for folder in sorted(one for one in tree.test.glob("*") if (one / "meson.build").exists()):
        compare_list(tree, folder, {one.name for one in folder.glob("*_test.cpp")}, tests=True)
    for header in sorted(tree.src.glob("*/*_component.hpp")):
        if not re.search(r"^// .*Thread statement: ", header.read_text(), re.M):
            tree.report(header, 1, 'has no "Thread statement:"; say which functions any thread may call, because its strand '
                                   "does not show in its types")
    check_mutants(tree)


def compare_list(tree, folder, there, tests=False):
    build_file = folder / "meson.build"
    if not build_file.exists():
        return tree.report(folder, 1, "has no meson.build; list its sources, else they are not built")
    listed = set(re.findall(r"'([^'/]+\.cpp)'", build_file.read_text()))
    for name in sorted(there - listed):
        tree.report(build_file, 1, f"{name} is not listed, so it is not built; list it")
    for name in sorted(one for one in listed - there if not (tests and (folder / one).exists())):
        tree.report(build_file, 1, f"{name} is listed, but not there; take it out")


def check_mutants(tree):
    for patch in sorted((tree.test / "mutations").glob("*.patch")):
        ran = subprocess.run(["git", "apply", "--check", str(patch)], cwd=tree.root, capture_output=True, text=True)
        if ran.returncode:
            tree.report(patch, 1, "does not apply any more; make it anew on the rule that it breaks, because a mutant that "
                                  "is not built proves nothing")
        if not re.search(r"^Caught-by: \S", patch.read_text().partition("\n--- ")[0], re.M):
            tree.report(patch, 1, "names no test; say Caught-by: above the diff, because test/mutants runs what stands "
                                  "there")
