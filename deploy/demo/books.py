"""Whether what the agents sent, what was acknowledged to them and what the server counted are the same number."""
import re

import children

SERVICES = {"shop": "shop-availability", "payments": "payments-availability"}


def summary(text):
    """The last line of nissa-send."""
    found = re.search(r"(\d+) lines?, (\d+) not understood; (\d+) events? acknowledged.*?(\d+) not taken", text)
    return dict(zip(("lines", "bad", "acknowledged", "not_taken"), map(int, found.groups()))) if found else None


def lifetimes(server):
    return {service: server.slo(slo)["lifetime"]["total"] for service, slo in SERVICES.items()}


def compare(sent, before, after, log_lines):
    """Prints a line a service; True if all agree. `sent`: service → nissa-send's summary."""
    agree = True
    for service in SERVICES:
        one, counted = sent.get(service), after[service] - before[service]
        if one is None:
            print(f"    {service:9} nissa-send did not end as it should; see its log")
            agree = False
            continue
        numbers = [(one["lines"], "read by nissa-send"), (one["acknowledged"], "acknowledged"), (counted, "counted")]
        if service == "shop":
            numbers.insert(0, (log_lines, "in nginx's access log"))
        equal = len({number for number, _ in numbers}) == 1 and one["bad"] + one["not_taken"] == 0
        agree = agree and equal
        said = ", ".join(f"{number} {what}" for number, what in numbers)
        print(f"    {service:9} {said}: {'equal' if equal else 'NOT EQUAL'}")
    return agree


def end_sender(process, out_file, within=30):
    """Waits for a nissa-send whose input has ended; its summary."""
    if not children.ended(process, within):
        children.stop(process)
    return summary(out_file.read_text())
