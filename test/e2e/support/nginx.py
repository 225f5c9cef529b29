"""A real nginx on a free port, with the demo's configuration, before a small service of the test."""
import http.server
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from .nissad import ROOT, free_port


class Service(http.server.BaseHTTPRequestHandler):
    """/fail answers 503, /missing 404, /slow after 400 ms, /hang later than nginx waits (504), anything else 200."""

    def do_GET(self):
        path = self.path.split("?")[0]
        time.sleep({"/slow": 0.4, "/hang": 1.3}.get(path, 0))
        status = {"/fail": 503, "/missing": 404}.get(path, 200)
        try:
            self.send_response(status)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ok\n")
        except OSError:
            pass  # nginx waits no longer

    def log_message(self, *_):
        pass


class Nginx:
    """Its access log goes to standard output, which is a pipe, and to a file, as in deploy/demo/nginx.conf; without `pipe`
    to the file alone."""

    def __init__(self, pipe=True):
        self.folder = tempfile.TemporaryDirectory(prefix="nissa-nginx-")
        self.service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
        self.service.daemon_threads = True
        threading.Thread(target=self.service.serve_forever, daemon=True).start()
        self.port = free_port()
        text = (ROOT / "deploy/demo/nginx.conf").read_text()
        text = text.replace("127.0.0.1:7480", f"127.0.0.1:{self.port}")
        text = text.replace("127.0.0.1:7481", f"127.0.0.1:{self.service.server_port}")
        if not pipe:
            text = text.replace("access_log /dev/stdout nissa;", "")
        (pathlib.Path(self.folder.name) / "nginx.conf").write_text(text)
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.folder.name + "/", "-e", "stderr", "-c", "nginx.conf"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.asked = 0
        self.log_file = pathlib.Path(self.folder.name) / "access.log"

    def __enter__(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                self.get("/")
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.02)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()
        self.asked += 1

    def quit(self):
        """After the requests that it has begun; then its standard output ends."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)

    def logged(self):
        return self.log_file.read_text().count("\n")

    def log_of(self, asked, within=30):
        """The whole log, once it has a line of each of `asked` requests beside those of get(): nginx writes a line after
        its answer."""
        deadline = time.monotonic() + within
        while (found := self.logged()) < self.asked + asked and time.monotonic() < deadline:
            time.sleep(0.05)
        if found != self.asked + asked:
            raise AssertionError(f"{self.asked + asked} requests were sent, nginx has logged {found}")
        return self.log_file.read_text()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.process.stdout.close()
        self.service.shutdown()
        self.service.server_close()
        self.folder.cleanup()
