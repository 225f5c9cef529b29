#!/usr/bin/python3
"""T2, kill -9 under load: four agents in three classes send through a proxy that loses acks, repeat what was not
acknowledged, send twins on a second connection, and one of them is itself killed again and again, while nissad is
killed at random moments. At all times acknowledged <= counted <= sent by the lifetime totals of one SLO an agent; once
all is settled every bucket that `nissad inspect` prints lies between what was acknowledged and what may have been
counted, which for the agents that were not killed is one number.

30 kills, with --full 1000."""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import pb  # noqa: E402
from support.fault_proxy import Faults, FaultProxy  # noqa: E402
from support.nissad import Nissad, check_books  # noqa: E402
from support.scenario import (Chosen, availability, check_alive, check_buckets, check_totals, report,  # noqa: E402
                              settle)
from support.sender import TcpSender  # noqa: E402

CLASSES = [pb.NORMAL, pb.HIGH, pb.CRITICAL, pb.NORMAL]


def main():
    chosen = Chosen("T2", __doc__)
    rng, kills = chosen.random, 1000 if chosen.full else 30
    names = [f"agent-{number}" for number in range(4)]
    with Nissad(slos="".join(map(availability, names))) as nissad:
        proxy = FaultProxy(nissad.tcp_port, rng.random(), down=Faults(cut=(200, 20000)))
        senders = [TcpSender(name, proxy.port, rng.random(), klass=klass, twins_at=nissad.tcp_port, mortal=name == names[3])
                   for name, klass in zip(names, CLASSES)]
        for sender in senders:
            sender.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.1, 0.7))
            check_totals(nissad, senders)
            nissad.kill()
            nissad.start()
            check_alive(senders)
        check_totals(nissad, senders)
        settle(senders)
        check_totals(nissad, senders)
        check_books(nissad)
        nissad.kill()
        buckets = check_buckets(nissad, senders)
        report(senders)
        assert all(sender.exact() for sender in senders[:3])
        # That there was something to survive.
        assert proxy.done["cut"], "no connection was cut"
        assert senders[3].uncertain_lives, "no agent was killed with a batch that was not answered"
        for sender in senders:
            assert sender.told["DUPLICATE"], f"{sender.service}: no answer was lost"
        chosen.holds(f"{kills} kills of nissad, {senders[3].kills} of an agent, {proxy.done['cut']} connections cut, "
                     f"{buckets} buckets compared")


if __name__ == "__main__":
    main()
