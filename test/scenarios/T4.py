#!/usr/bin/python3
"""T4, a full disk, and room again: the state lies on a tmpfs of 16 MiB in a mount namespace of its own, agents send over
TCP and HTTP, and a file takes the room away.

  - Below `min_free`: batches are refused by name (DISK_FULL, over HTTP 503 with Retry-After) while the pages answer and
    say why; a little room is not enough; with half as much again as `min_free` it goes on by itself.
  - To the last byte, with `min_free = "0 B"`: batches that wait are told JOURNAL_SLOW, later ones DISK_FULL; nissad lives,
    and goes on by itself; or it is killed meanwhile, starts on the full disk, and goes on by itself, too.
  - A file system that fails and is read-only from then on (ext4 on a loop device, as after `errors=remount-ro`; Linux
    refuses to remount one read-only while a file is open for writing): batches are told JOURNAL, nissad lives and says
    so; the file system is mended as an operator would, and nissad started again.

What was acknowledged is counted, nothing is doubled: by the totals after each round, by bucket in the end.

Each once, with --full ten times. It takes root, for the namespace."""
import concurrent.futures
import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import pb  # noqa: E402
from support.nissad import Nissad, check_books, total  # noqa: E402
from support.raw_http import until  # noqa: E402
from support.scenario import (Chosen, availability, check_alive, check_buckets, check_totals, report,  # noqa: E402
                              settle)
from support.sender import HttpSender, TcpSender  # noqa: E402

MIB = 1 << 20
NAMES = ["tcp-0", "tcp-1", "http"]
INSIDE = "NISSA_T4_NAMESPACE"
CANNOT_RUN = 77  # neither holds nor fails, and test/run says so
# Small files, so that what the server itself writes does not fill the disk.
JOURNAL = '[journal]\ncheckpoint_bytes = "1 MiB"\nsnapshot_after = "1 MiB"\n'


def enter_namespace():
    """Begins anew in a mount namespace: what is mounted there nobody else sees, and it is gone with the last process."""
    if os.environ.get(INSIDE):
        return
    for command in (["unshare", "--mount", "true"], ["losetup", "--find"]):
        tried = subprocess.run(command, text=True, capture_output=True)
        if tried.returncode != 0:
            print(f"T4 cannot run here: {' '.join(command)}: {tried.stderr.strip()}; it takes root, or CAP_SYS_ADMIN, and loop devices",
                  file=sys.stderr)
            raise SystemExit(CANNOT_RUN)
    os.execvpe("unshare", ["unshare", "--mount", sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def run(*command):
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr.strip()}"
    return done.stdout.strip()


class Disk:
    """A small tmpfs that the state lies on; `ballast` is what takes its room."""

    def __init__(self, nissad):
        self.where = nissad.folder / "state"
        self.where.mkdir()
        self.ballast = self.where / "ballast"
        self.mount()

    def mount(self):
        run("mount", "-t", "tmpfs", "-o", "size=16m", "nissa-T4", self.where)

    def unmount(self):
        run("umount", self.where)

    def leave(self, free):
        """So many bytes are free."""
        found = os.statvfs(self.where)
        more = found.f_bavail * found.f_frsize - free
        with open(self.ballast, "ab") as file:
            if more > 0:
                os.posix_fallocate(file.fileno(), file.tell(), more)
            else:
                file.truncate(max(file.tell() + more, 0))

    def fill(self):
        """To the last byte."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def clear(self):
        self.ballast.unlink()


class FailingDisk(Disk):
    """ext4 in a file."""

    def mount(self):
        self.image = self.where.parent / "disk"
        with open(self.image, "wb") as file:
            file.truncate(32 * MIB)
        run("mkfs.ext4", "-q", "-F", self.image)
        self.mount_again()

    def mount_again(self):
        run("mount", "-o", "loop,errors=remount-ro", self.image, self.where)

    def fail(self, process):
        """Between two system calls of the process: an fdatasync that is under way meanwhile says 0 and loses what it was
        to write, as strace shows, and no program can help that."""
        process.send_signal(signal.SIGSTOP)
        threads = pathlib.Path(f"/proc/{process.pid}/task")
        assert until(lambda: all(" T " in one.read_text().rpartition(")")[2][:3] for one in threads.glob("*/stat")))
        run("mount", "-o", "remount,abort", self.where)
        process.send_signal(signal.SIGCONT)

    def mend(self):
        self.unmount()
        checked = subprocess.run(["e2fsck", "-fy", self.image], text=True, capture_output=True)
        assert checked.returncode <= 1, checked.stdout  # 1: what was wrong is mended
        self.mount_again()


def answers(nissad):
    try:
        return nissad.page("/healthz")[0] == 200
    except OSError:
        return False


def check_pages(nissad, words):
    """Alive, and not ready, in words."""
    assert until(lambda: nissad.page("/readyz")[0] == 503, within=20), "/readyz goes on saying that it is ready"
    for path, expected in (("/readyz", 503), ("/healthz", 200)):
        status, text = nissad.page(path)
        assert status == expected and re.search(words, text), f"{path}: {status} {text}"
    nissad.metrics()


def so_far(senders):
    return {sender: sender.told.copy() for sender in senders}


def told(before, what, to=all):
    """Since then, each sender or (`to`: any) one of them."""
    return to(sender.told[what] > then[what] for sender, then in before.items())


def await_told(before, what, to, meanwhile=lambda: None):
    def heard():
        meanwhile()
        return told(before, what, to)

    assert until(heard, within=90), f"not told {what}: {[dict(sender.told) for sender in before]}"


def counted_batches(nissad):
    return total(nissad.metrics(), "nissa_ingest_batches_total", status="counted")


def check_refused_over_http(nissad):
    """A batch without a key: DISK_FULL, 503, Retry-After."""
    connection = http.client.HTTPConnection("127.0.0.1", nissad.http_port, timeout=20)
    connection.request("POST", "/v2/telemetry", '{"events":[{"service":"refused"}]}', {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 503 and '"DISK_FULL"' in text and int(answer.getheader("Retry-After")) >= 1, f"{answer.status} {text}"
    connection.close()


def below_min_free(nissad, disk, senders):
    before = so_far(senders)
    # Again and again, for the server makes its own files smaller first.
    await_told(before, "DISK_FULL", all, lambda: disk.leave(3 * MIB))
    check_pages(nissad, "free")
    check_refused_over_http(nissad)
    assert total(nissad.metrics(), "nissa_journal_rewrites_total", result="done") == 1, "the file was not made smaller, once"
    counted = counted_batches(nissad)
    for _ in range(15):  # it looks each second
        disk.leave(5 * MIB)  # more than min_free, less than half as much again
        time.sleep(0.2)
    assert counted_batches(nissad) == counted, "batches are taken again at 1.25 times min_free"
    check_pages(nissad, "free")
    disk.clear()


def to_the_last_byte(nissad, disk, senders, killed=False):
    before = so_far(senders)
    await_told(before, "JOURNAL_SLOW", any, disk.fill)
    await_told(before, "DISK_FULL", any, disk.fill)
    check_pages(nissad, "(?i)full|free")
    check_refused_over_http(nissad)
    if killed:
        nissad.kill()
        disk.fill()
        nissad.launch()
        assert until(lambda: answers(nissad)), "no start on a full disk: " + nissad.log_text()[-2000:]
        check_pages(nissad, "(?i)full")
    disk.clear()
    if killed:
        nissad.await_ready()
        assert total(nissad.metrics(), "nissa_journal_rewrites_total", result="done") == 1, "it went on in no new file"


def killed_at_the_last_byte(nissad, disk, senders):
    to_the_last_byte(nissad, disk, senders, killed=True)


def read_only(nissad, disk, senders):
    before = so_far(senders)
    disk.fail(nissad.process)
    await_told(before, "JOURNAL", any)
    check_pages(nissad, "(?i)read.?only|i/o|unknown")
    counted = counted_batches(nissad)
    time.sleep(3)  # it tries again each second
    assert counted_batches(nissad) == counted, "batches are counted on a disk that takes nothing"
    assert nissad.process.poll() is None
    nissad.kill()
    disk.mend()
    nissad.start()


class Episode:
    """A server on a disk of its own, agents, and a trouble."""

    def __init__(self, rng, kind, min_free, trouble):
        self.trouble, self.seeds = trouble, [rng.random() for _ in NAMES]
        self.nissad = Nissad(slos="".join(map(availability, [*NAMES, "refused"])), more=JOURNAL + f'min_free = "{min_free}"\n')
        self.disk = kind(self.nissad)

    def run(self):
        """Buckets compared."""
        nissad = self.nissad
        try:
            with nissad:
                options = {"pause_s": 0.005}
                self.senders = [TcpSender(NAMES[0], nissad.tcp_port, self.seeds[0], **options),
                                TcpSender(NAMES[1], nissad.tcp_port, self.seeds[1], klass=pb.CRITICAL, **options),
                                HttpSender(NAMES[2], nissad.http_port, self.seeds[2], **options)]
                for sender in self.senders:
                    sender.start()
                await_told(so_far(self.senders), "COUNTED", all)
                self.trouble(nissad, self.disk, self.senders)
                return self.settled()
        finally:
            if nissad.process.poll() is None:
                nissad.kill()
            self.disk.unmount()
            shutil.rmtree(nissad.folder, ignore_errors=True)

    def settled(self):
        nissad, senders = self.nissad, self.senders
        await_told(so_far(senders), "COUNTED", all)
        check_alive(senders)
        assert until(lambda: nissad.page("/readyz")[0] == 200), nissad.page("/readyz")
        assert nissad.page("/healthz") == (200, "ok\n")
        check_totals(nissad, senders)
        settle(senders)
        check_totals(nissad, senders)
        assert nissad.slo("refused")["lifetime"]["total"] == 0
        check_books(nissad)
        assert nissad.stop() == 0
        return check_buckets(nissad, senders)


def main():
    enter_namespace()
    chosen = Chosen("T4", __doc__)
    times, buckets = 10 if chosen.full else 1, 0
    for _ in range(times):
        episodes = [Episode(chosen.random, *one) for one in (
            (Disk, "4 MiB", below_min_free), (Disk, "0 B", to_the_last_byte), (Disk, "0 B", killed_at_the_last_byte),
            (FailingDisk, "0 B", read_only))]
        with concurrent.futures.ThreadPoolExecutor() as at_once:  # they mostly wait: for when agents may come again
            buckets += sum(at_once.map(Episode.run, episodes))
        for one in episodes:
            print(f"  {one.trouble.__name__.replace('_', ' ')}:")
            report(one.senders)
    chosen.holds(f"each trouble {times} times, {buckets} buckets compared")


if __name__ == "__main__":
    main()
