"""Headers compile alone: each with the include path of its own room, taken from the build's own commands."""
import concurrent.futures
import hashlib
import json
import re
import shlex
import subprocess

KEPT = re.compile(r"-(I|D|std|isystem|W|f|m|pthread|nostd)")
LEFT_OUT = ("-MF", "-MQ", "-Wp", "-fsanitize")


def check(tree, build):
    commands = build / "compile_commands.json"
    if not commands.exists():
        return tree.problems.append(f"{build}:1: no build here; run deploy/build first, because headers are tried with its flags")
    flags_of = {}
    for one in json.loads(commands.read_text()):
        match = re.search(r"src/lib(\w+)\.a\.p/", one["command"])
        if match and match.group(1) not in flags_of:
            words = [word for word in shlex.split(one["command"]) if KEPT.match(word) and not word.startswith(LEFT_OUT)]
            flags_of[match.group(1)] = (words, one["directory"])
    jobs = []
    for header in sorted([*tree.src.glob("*/*.hpp"), *(tree.root / "include").rglob("*.hpp")]):
        room = header.parent.name if tree.src in header.parents else "client"
        if room in flags_of:
            jobs.append((header, *flags_of[room], build / "tidy" / f"{room}_{header.stem}"))
        else:
            tree.report(header, 1, f"room {room} is not built, so it could not be tried alone; build it first")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for header, error in zip((job[0] for job in jobs), pool.map(lambda job: compile_alone(*job), jobs)):
            if error:
                tree.report(header, 1, f"does not compile alone; include what it uses, because order must not matter: {error}")


def compile_alone(header, flags, directory, stamp):
    """The first error, or nothing. What compiled is remembered in STAMP until it, its includes or its flags change."""
    digest = hashlib.sha256(" ".join([*flags, str(header)]).encode()).hexdigest()
    if is_fresh(stamp, digest):
        return None
    stamp.parent.mkdir(parents=True, exist_ok=True)
    dependencies = stamp.with_suffix(".d")
    ran = subprocess.run(["clang++-19", *flags, "-fsyntax-only", "-MD", "-MF", str(dependencies), "-x", "c++",
                          "-Wno-pragma-once-outside-header", str(header)], cwd=directory, capture_output=True, text=True)
    if ran.returncode:
        stamp.unlink(missing_ok=True)
        return ran.stderr.strip().splitlines()[0]
    names = dependencies.read_text().split(":", 1)[1].replace("\\\n", " ").split()
    stamp.write_text("\n".join([digest, *(str(absolute(name, directory)) for name in names)]))
    return None


def absolute(name, directory):
    return name if name.startswith("/") else f"{directory}/{name}"


def is_fresh(stamp, digest):
    import os
    if not stamp.exists():
        return False
    known, *names = stamp.read_text().splitlines()
    made = stamp.stat().st_mtime
    try:
        return known == digest and all(os.stat(name).st_mtime < made for name in names)
    except OSError:
        return False
