"""Builds what the demo runs, and says how far it is."""
import collections
import os
import re
import signal
import subprocess
import sys

import children


def build(root):
    """The folder with the programs; None if the build failed, which was said."""
    if os.environ.get("NISSA_BUILD"):
        programs = (root / os.environ["NISSA_BUILD"]).resolve() / "src"
        if not (programs / "nissad").exists():
            print(f"NISSA_BUILD: there is no {programs}/nissad; name a folder that deploy/build has filled", file=sys.stderr)
            return None
        print(f"2/4 build: none; the programs of {programs} are used")
        return programs
    print("2/4 build (the first one takes some minutes)")
    compiler = children.start([root / "deploy/build", "build", "src/nissad", "src/nissa-send"], cwd=root,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    last = collections.deque(maxlen=60)
    try:
        follow(compiler.stdout, last)
    except BaseException:
        children.stop(compiler, signal.SIGTERM)
        raise
    if compiler.wait() == 0:
        return root / "build" / "src"
    print("".join(last) + "the build failed; the lines above say why", file=sys.stderr)
    return None


def follow(output, last):
    terminal = sys.stdout.isatty()
    said = -1
    for line in output:
        last.append(line)
        step = re.match(r"\[(\d+)/(\d+)\]", line)
        if not step:
            continue
        done, whole = int(step.group(1)), int(step.group(2))
        if terminal:
            print(f"\r    {done} of {whole}", end="\n" if done == whole else "")
        elif done * 10 // whole > said:
            said = done * 10 // whole
            print(f"    {done} of {whole}")
