"""What the tests of limits share."""
import unittest

from .agent import Agent, pb
from .nissad import Nissad, check_books, total
from .raw_http import Raw, request, until

PROTOBUF = "application/x-protobuf"


class LimitCase(unittest.TestCase):
    def start(self, more="", **options):
        """A server whose books must balance in the end, when nothing is in hand any more."""
        nissad = Nissad(more=more, **options)
        self.enterContext(nissad)
        self.addCleanup(self.settled, nissad)
        return nissad

    def settled(self, nissad):
        if nissad.process.poll() is None:
            self.assertTrue(until(lambda: total(nissad.metrics(), "nissa_gate_bytes") == 0), "room is still held")
            check_books(nissad)

    def agent(self, nissad, **options):
        agent = Agent(nissad.tcp_port, **options).connect()
        self.addCleanup(agent.close)
        return agent

    def raw(self, port, **options):
        one = Raw(port, **options)
        self.addCleanup(one.close)
        return one

    def post(self, nissad, batch, *headers):
        """Over a connection of its own: status and Ack."""
        one = self.raw(nissad.http_port)
        status, body = one.ask(request(batch.SerializeToString(), *headers, kind=PROTOBUF))
        return status, pb.Ack.FromString(body)

    def assert_counted(self, ack, accepted=1):
        self.assertEqual((ack.status, ack.accepted), (pb.Ack.COUNTED, accepted), ack)

    def assert_malformed(self, ack, reason, field=""):
        self.assertEqual((ack.status, ack.reason, ack.field, ack.final), (pb.Ack.MALFORMED, reason, field, True), ack)
