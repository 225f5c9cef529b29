#!/usr/bin/python3
"""The demo of deploy/quickstart, which says what the options mean: builds, starts all, shows the budgets, stops all."""
import argparse
import collections
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
import books  # noqa: E402
import build  # noqa: E402
import children  # noqa: E402
from server import Server  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HISTORY_HOURS = 6
USES = ("agents over TCP", "agents over HTTP", "nissad's pages", "nginx", "the demo's shop")
Ports = collections.namedtuple("Ports", "tcp http admin nginx shop")
PORTS = Ports(7440, 7441, 7442, 7480, 7481)


class Stopped(Exception):
    """A signal came, or the time is over."""


class Trouble(Exception):
    """It cannot go on; says why."""


def read_ports():
    text = os.environ.get("NISSA_DEMO_PORTS", "")
    try:
        ports = tuple(int(one) for one in text.split()) or PORTS
    except ValueError:
        ports = ()
    if len(ports) != len(USES):
        raise Trouble(f"NISSA_DEMO_PORTS takes five numbers, for {', '.join(USES)}; not '{text}'")
    for port, use in zip(ports, USES):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                raise Trouble(f"port {port} ({use}) cannot be had: {error}. Is another Nissa or demo running? Stop it, or "
                              f'choose: NISSA_DEMO_PORTS="{" ".join(map(str, PORTS))}" deploy/quickstart') from None
    return Ports(*ports)


def instance(name, folder, ports):
    """A file of deploy/demo with the folder and ports of this run."""
    text = (HERE / name).read_text().replace("nissa-demo/", f"{folder}/")
    for port, default in zip(ports, PORTS):
        text = text.replace(f"127.0.0.1:{default}", f"127.0.0.1:{port}")
    return text


class Demo:
    def __init__(self, programs, folder, ports):
        self.programs, self.folder, self.ports = programs, folder, ports
        self.nginx_folder = folder / "nginx"
        self.new = not (folder / "state").exists()
        self.nginx_folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus").mkdir(exist_ok=True)
        (folder / "nissa.toml").write_text(instance("nissa.toml", folder, ports))
        for name in ("prometheus.yml", "nissa.rules.yml"):
            (folder / "prometheus" / name).write_text(instance(f"../prometheus/{name}", folder, ports))
        (self.nginx_folder / "nginx.conf").write_text(instance("nginx.conf", folder, ports))
        self.access_log = self.nginx_folder / "access.log"
        self.access_log.write_text("")
        self.server = Server(programs / "nissad", folder / "nissa.toml", folder / "nissad.log", folder / "nissad.pid",
                             ports.admin)
        self.senders = {}
        self.before = None
        self.shop = self.nginx = self.visitors = self.payments = None

    def out(self, name):
        return self.folder / f"{name}.out"

    def sender(self, name, source, *options):
        """nissa-send at the end of a pipe from `source`."""
        with open(self.out(name), "wb") as out, open(self.folder / f"{name}.log", "wb") as log:
            # An orphan has no server to wait for: asked to end, it would try for a minute to deliver what it has.
            return children.start([self.programs / "nissa-send", "--server", f"127.0.0.1:{self.ports.tcp}", "--agent",
                                   f"demo-{name}", *options], when_orphaned=signal.SIGKILL, stdin=source, stdout=out,
                                  stderr=log)

    def python(self, program, *options, **more):
        return children.start(["/usr/bin/python3", HERE / program, *options], **more)

    def send_history(self):
        print(f"    the last {HISTORY_HOURS} hours, generated: a healthy past, so that there is a budget to burn")
        source = self.python("payments.py", "--history", HISTORY_HOURS, stdout=subprocess.PIPE)
        sender = self.sender("history", source.stdout)
        source.stdout.close()
        try:
            sent = books.end_sender(sender, self.out("history"), within=120)
        finally:
            children.stop(source)
            children.stop(sender)
        if not sent or sent["acknowledged"] != sent["lines"]:
            raise Trouble(f"the history was not taken; see {self.folder}/history.log")
        print(f"    {sent['acknowledged']} events acknowledged")

    def start(self):
        if not self.server.start():
            raise Trouble("")
        if self.new:
            self.send_history()
        self.before = books.lifetimes(self.server)
        self.shop = self.python("shop.py", "--port", self.ports.shop)
        with open(self.nginx_folder / "error.log", "wb") as log:
            self.nginx = children.start(["/usr/sbin/nginx", "-p", f"{self.nginx_folder.resolve()}/", "-e", "stderr", "-c",
                                         "nginx.conf"], stdout=subprocess.PIPE, stderr=log)
        self.senders["shop"] = self.sender("shop", self.nginx.stdout, "--service", "shop")
        self.nginx.stdout.close()
        self.payments = self.python("payments.py", stdout=subprocess.PIPE)
        self.senders["payments"] = self.sender("payments", self.payments.stdout)
        self.payments.stdout.close()
        await_port(self.ports.nginx, self.nginx, f"nginx did not start; see {self.nginx_folder}/error.log")
        await_port(self.ports.shop, self.shop, "the demo's shop did not start")
        self.visitors = self.python("visitors.py", "--port", self.ports.nginx)

    def watch(self, seconds, kill):
        started = time.monotonic()
        kill_at = started + (min(20, seconds / 2) if seconds else 20) if kill else None
        shown = started
        while not seconds or time.monotonic() < started + seconds:
            time.sleep(0.2)
            if kill_at and time.monotonic() >= kill_at:
                kill_at = None
                print(f"\n  kill -9 {self.server.process.pid}")
                self.server.process.kill()
                self.server.process.wait()
            if not self.server.keep_alive():
                raise Trouble("")
            for name, one in (("nginx", self.nginx), ("the shop", self.shop), ("the visitors", self.visitors),
                              ("the payments", self.payments), *self.senders.items()):
                if one.poll() is not None:
                    raise Trouble(f"{name} ended by itself, with {one.returncode}; see the logs in {self.folder}")
            if time.monotonic() >= shown + 5:
                shown = time.monotonic()
                print("\n" + self.server.table())

    def stop(self):
        """In the order of the flow, so that nothing is left on the way. True if the books agree."""
        children.stop(self.visitors)
        children.stop(self.payments)
        children.stop(self.nginx, signal.SIGQUIT)
        children.stop(self.shop)
        agree = True
        if self.before is not None and self.visitors is not None and self.server.keep_alive():
            sent = {name: books.end_sender(one, self.out(name)) for name, one in self.senders.items()}
            with open(self.access_log, "rb") as log:
                lines = sum(1 for _ in log)
            print(f"\nthe books of this run (kill -9 of nissad in it: {self.server.killed}):")
            agree = books.compare(sent, self.before, books.lifetimes(self.server), lines)
        for one in self.senders.values():
            children.stop(one)
        self.server.pid_file.unlink(missing_ok=True)  # what is printed above must never hit another process
        if not children.stop(self.server.process, within=30):
            print("nissad did not end when asked to, and was killed", file=sys.stderr)
            agree = False
        return agree


def await_port(port, process, otherwise, within=20):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Trouble(otherwise)


def say_what_to_try(demo):
    admin = demo.server.admin
    if not demo.new:
        print(f"""
The budgets go on from the last run, in which they were spent. To see them burn from the beginning, stop this and
    rm -r {demo.folder}""")
    print(f"""
4/4 running. The shop's checkout begins to fail after twelve seconds.
    Agents on 127.0.0.1:{demo.ports.tcp}, over HTTP on 127.0.0.1:{demo.ports.http}, pages on {admin}, the shop behind nginx on http://127.0.0.1:{demo.ports.nginx}
    State, logs and configuration: {demo.folder}/
    Try, in another terminal:

      curl -s {admin}/api/v2/slos                        # all budgets
      curl -s {admin}/api/v2/slos/checkout-availability  # one of them, with its windows
      curl -s {admin}/metrics | grep ^nissa_slo          # what Prometheus scrapes
      prometheus --config.file={demo.folder}/prometheus/prometheus.yml --storage.tsdb.path={demo.folder}/prometheus/data \\
           --web.listen-address=127.0.0.1:9091  # if you have one: it scrapes this demo
      curl -s http://127.0.0.1:{demo.ports.http}/v2/telemetry -H 'Content-Type: application/json' \\
           -d '{{"events":[{{"service":"yours","outcome":"ERROR"}}]}}'  # an event of your own: yours-availability
      kill -9 $(cat {demo.server.pid_file})  # the demo starts it again; nothing is lost or counted twice

    Ctrl-C stops everything and compares the books.""")


def run(seconds, kill):
    """The exit code."""
    demo, code = None, 0
    try:
        os.chdir(ROOT)
        folder = pathlib.Path(os.environ.get("NISSA_DEMO_DIR") or "nissa-demo")
        programs = build.build(ROOT)
        if programs is None:
            return 1
        print("3/4 start: nissad, nginx before a small shop and its visitors, a payments worker; a nissa-send for each")
        demo = Demo(programs, folder, read_ports())
        demo.start()
        say_what_to_try(demo)
        demo.watch(seconds, kill)
    except Stopped:
        code = 0 if demo and demo.visitors else 130
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        code = 1
    except PermissionError as error:
        print(f"{error.filename} belongs to somebody else: remove it, or choose another folder by NISSA_DEMO_DIR",
              file=sys.stderr)
        code = 1
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)  # a second Ctrl-C would leave things behind
    if demo is None:
        return code
    print("\nstopping")
    if not demo.stop():
        code = code or 1
    print(f"stopped. Start again and the budgets go on; remove {demo.folder} to begin anew.")
    return code


def on_signal(*_):
    raise Stopped


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=0)
    options.add_argument("--kill", action="store_true")
    chosen = options.parse_args()
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, on_signal)
    return run(chosen.seconds, chosen.kill)


if __name__ == "__main__":
    sys.exit(main())
