#!/usr/bin/python3
"""A real nginx's access log through nissa-send, as nginx writes it."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.nginx import Nginx  # noqa: E402
from support.nissad import PROGRAMS, SHOP_AVAILABILITY, Nissad, check_books  # noqa: E402

SLOS = SHOP_AVAILABILITY + """
[[slo]]
name = "orders-availability"
service = "shop"
operation = "GET /orders/:id"
sli = "availability"
objective = "99 %"
"""


class AccessLog(unittest.TestCase):
    def test_every_request_that_nginx_answered_is_counted_once_though_the_server_is_killed_in_the_middle(self):
        with Nissad(SLOS) as nissad, Nginx() as nginx:
            sender = subprocess.Popen([PROGRAMS / "nissa-send", "--server", f"127.0.0.1:{nissad.tcp_port}", "--service",
                                       "shop", "--batch-age-ms", "5"], stdin=nginx.process.stdout, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for part in range(3):
                for number in range(60):
                    nginx.get(f"/orders/{number}?page=2")
                    nginx.get('/?q="]%20["')
                nginx.get("/fail")
                nginx.get("/missing")
                if part < 2:
                    nissad.kill()
                    nginx.get("/orders/1")  # while nobody is there
                    nissad.start()
            nginx.quit()
            summary, said = sender.communicate(timeout=60)
            self.assertEqual(sender.returncode, 0, said)
            lines, bad, acknowledged, not_taken = map(int, re.findall(r"\d+", summary)[:4])
            self.assertEqual((lines, bad, acknowledged, not_taken), (nginx.logged(), 0, nginx.logged(), 0), said)
            self.assertEqual(nginx.logged(), nginx.asked)
            day = nissad.window("shop-availability", "1d")
            self.assertEqual((day["good"], day["total"]), (nginx.asked - 3, nginx.asked))
            self.assertEqual(nissad.window("orders-availability", "1d")["total"], 3 * 60 + 2)
            check_books(nissad)


if __name__ == "__main__":
    unittest.main()
