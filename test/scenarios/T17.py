#!/usr/bin/python3
"""T17, the graceful stop under load: two agents over TCP and two over HTTP send, and nissad is stopped by SIGTERM again
and again. Each time it ends with 0 within its bound; until then /healthz says 200, and /readyz 503 once it has begun;
no new agent gets in; those who are connected are told to go (GoAway, Connection: close). In every other round a request
over HTTP whose body is half sent keeps it from ending, so that there is time to look; it is completed, and answered, or
it never is, and nissad waits 10 s for it and no longer. In some rounds the end is hastened meanwhile: by a second SIGTERM
(ends at once), or by SIGKILL. What was acknowledged is counted, always: by the totals after each start, by bucket
(`nissad inspect`) in the end.

10 stops, with --full 50."""
import http.client
import pathlib
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from support.agent import Agent, pb  # noqa: E402
from support.nissad import Nissad, check_books  # noqa: E402
from support.raw_http import Raw, request, until  # noqa: E402
from support.scenario import (Chosen, availability, check_alive, check_buckets, check_totals, report,  # noqa: E402
                              settle)
from support.sender import HttpSender, TcpSender  # noqa: E402

BODY = b'{"events":[{"service":"halves"}]}'
BOUND_S = 30  # 10 s for what is in hand, and plenty for a busy machine


class Watch(threading.Thread):
    """Asks for a page until nobody listens any more; `said` is each status, in order."""

    def __init__(self, nissad, path):
        super().__init__(daemon=True)
        self.url, self.said = f"http://127.0.0.1:{nissad.admin_port}{path}", []
        self.start()

    def run(self):
        while True:
            try:
                with urllib.request.urlopen(self.url, timeout=20) as answer:
                    self.said.append(answer.status)
            except urllib.error.HTTPError as error:
                self.said.append(error.code)
                error.close()
            except (OSError, http.client.HTTPException):
                return
            time.sleep(0.002)


def begin_request(nissad):
    """Its body is half sent, and nissad has its headers, for it asks for the body."""
    half = Raw(nissad.http_port, timeout=BOUND_S)
    half.say(request(BODY, "Expect: 100-continue")[:-len(BODY)])
    assert half.hear()[0] == 100
    return half.say(BODY[:10])


def complete(half):
    """It is answered, with the word that its connection ends."""
    half.say(BODY[10:])
    half.socket.settimeout(BOUND_S)
    heard = half.unread
    while piece := half.socket.recv(65536):
        heard += piece
    head, _, body = heard.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ") and "\r\nconnection: close" in head.lower(), head
    assert "COUNTED" in body, body


def refused(port):
    """Whether nobody is let in: not even connected, or closed at once."""
    try:
        probe = Agent(port, name="too late")
        probe.connect()
        probe.close()
        return False
    except (OSError, EOFError):
        return True


def until_gone(quiet):
    """What an agent that says nothing hears: GoAway, then the end."""
    reasons = []
    try:
        while True:
            frame = quiet.read()
            assert frame.HasField("go_away"), frame
            reasons.append(frame.go_away.reason)
    except (EOFError, ConnectionError):
        return reasons


def look_meanwhile(nissad, ready, health):
    """It has begun to stop, and cannot end yet."""
    assert until(lambda: 503 in ready.said, within=BOUND_S), "/readyz never said that nissad stops"
    asked = len(health.said)
    assert until(lambda: len(health.said) > asked + 3, within=BOUND_S), "/healthz does not answer while nissad stops"
    assert until(lambda: refused(nissad.tcp_port), within=BOUND_S), "an agent was let in while nissad stops"
    try:
        late = Raw(nissad.http_port, timeout=BOUND_S)
        late.ask(request(BODY))
        raise AssertionError("a request over HTTP was let in while nissad stops")
    except (OSError, EOFError):
        pass


def check_pages(ready, health):
    for watch in (ready, health):
        watch.join(BOUND_S)
        assert not watch.is_alive()
    assert set(health.said) <= {200}, f"/healthz said {set(health.said)}"
    begun = ready.said.index(503) if 503 in ready.said else len(ready.said)
    assert set(ready.said[:begun]) <= {200} and set(ready.said[begun:]) <= {503}, f"/readyz went back: {ready.said}"


def stop_once(nissad, how):
    """One round; how many halves of requests were counted."""
    quiet = Agent(nissad.tcp_port, name="quiet").connect()
    ready, health = Watch(nissad, "/readyz"), Watch(nissad, "/healthz")
    half = begin_request(nissad) if how != "plainly" else None
    nissad.process.send_signal(signal.SIGTERM)
    counted = 0
    if half:
        look_meanwhile(nissad, ready, health)
        if how == "completed":
            complete(half)
            counted = 1
        elif how != "left":
            nissad.process.send_signal(signal.SIGTERM if how == "hastened" else signal.SIGKILL)
        if how != "left":
            half.close()
    code = nissad.process.wait(BOUND_S)
    if how == "left":
        half.close()
    expected = {"hastened": 1, "killed": -signal.SIGKILL}.get(how, 0)
    assert code == expected, f"{how}: ended with {code}, not {expected}: {nissad.log_text()[-2000:]}"
    check_pages(ready, health)
    reasons = until_gone(quiet)
    assert reasons == [pb.SHUTTING_DOWN], f"{how}: an agent heard {reasons}"
    quiet.close()
    return counted


def main():
    chosen = Chosen("T17", __doc__)
    rng, stops = chosen.random, 50 if chosen.full else 10
    names = ["tcp-0", "tcp-1", "http-0", "http-1"]
    with Nissad(slos="".join(map(availability, [*names, "halves"]))) as nissad:
        senders = [TcpSender(names[0], nissad.tcp_port, rng.random(), twins_at=nissad.tcp_port),
                   TcpSender(names[1], nissad.tcp_port, rng.random(), klass=pb.CRITICAL)]
        senders += [HttpSender(name, nissad.http_port, rng.random()) for name in names[2:]]
        for sender in senders:
            sender.start()
        halves, longest = 0, 0
        ways = ["plainly", "completed", "plainly", "hastened", "plainly", "completed", "killed", "left", "completed", "hastened"]
        for number in range(stops):
            time.sleep(rng.uniform(0.3, 1))
            begun = time.monotonic()
            halves += stop_once(nissad, ways[number % len(ways)])
            longest = max(longest, time.monotonic() - begun)
            nissad.start()
            check_totals(nissad, senders)
            assert nissad.slo("halves")["lifetime"]["total"] == halves
            check_alive(senders)
        settle(senders)
        check_totals(nissad, senders)
        check_books(nissad)
        assert nissad.stop() == 0
        buckets = check_buckets(nissad, senders)
        report(senders)
        for sender in senders:
            said = "GoAway(SHUTTING_DOWN)" if isinstance(sender, TcpSender) else "Connection: close"
            assert sender.told[said], f"{sender.service} was never told {said}"
        chosen.holds(f"{stops} stops, the longest of {longest:.1f} s, {halves} requests completed meanwhile, {buckets} buckets compared")


if __name__ == "__main__":
    main()
