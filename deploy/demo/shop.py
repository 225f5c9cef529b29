#!/usr/bin/python3
"""The demo's shop: a small HTTP service behind nginx. After a while its checkout begins to fail, more and more of it:
half of the failures answer 503 at once, the others hang until nginx gives up. Options: --port N, --failing-after SECONDS.
"""
import argparse
import http.server
import random
import time


def handler(failing_after):
    begun = time.monotonic()
    rng = random.Random(7)

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(min(0.25, rng.lognormvariate(-3.5, 0.6)))
            path = self.path.split("?")[0]
            known = path in ("/", "/search") or path.startswith("/product/")
            self.answer(200 if known else 404)

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            running = time.monotonic() - begun
            failing = min(0.6, max(0.0, (running - failing_after) / 20))
            if self.path == "/checkout" and rng.random() < failing:
                if rng.random() < 0.5:
                    return self.answer(503)
                time.sleep(1.5)
            else:
                time.sleep(min(0.25, rng.lognormvariate(-3, 0.6)))
            self.answer(200 if self.path in ("/cart", "/checkout") else 404)

        def answer(self, status):
            body = b"a demo\n"
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # nginx has given up waiting

        def log_message(self, *_):
            pass  # nginx's log is the one that counts

    return Shop


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=7481)
    options.add_argument("--failing-after", type=float, default=12)
    chosen = options.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", chosen.port), handler(chosen.failing_after))
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
