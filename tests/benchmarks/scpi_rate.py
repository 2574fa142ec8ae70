"""How many *IDN? a second the simulated appliance answers on its raw socket, and whether 64 clients get their share.

The one client is `lxi benchmark` of lxi-tools. It is not ours and costs much of the time: beside stands what it gets
from a server that does next to nothing. Its rate swings with whatever else the machine does, by a factor of three and
for both servers alike. What the server itself can do is told by the processor time that an answer costs it; how it does
beside the other, by the ratio of rounds that follow each other. Each of the 64 clients asks again as soon as it is
answered.
"""

import re
import selectors
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from figures import Figure, median_ratio
from servers import server

QUESTIONS = 10_000
ROUNDS = 5
MOST_CPU_US = 125
"""8000 answers a second on one core."""
LEAST_RATIO = 0.3
"""Of what the minimal server gets."""


CLIENTS = 64
CROWD_S = 3.0
QUESTION = b"*IDN?\n"


def measure() -> Iterator[Figure]:
    yield from by_lxi()
    with server("appliance") as (host, port, _):
        answers, longest_s = crowd(host, port)
    yield Figure(f"{CLIENTS} clients at once, fewest answers : most", min(answers) / max(answers), "x", 0.5,
                 f"{sum(answers) / CROWD_S:.0f}/s together, longest wait {1000 * longest_s:.0f} ms")  # fmt: skip


def by_lxi() -> Iterator[Figure]:
    if shutil.which("lxi") is None:
        yield Figure(
            "*IDN? on the raw socket : minimal server", 0, "x", None, "not measured: apt-get install lxi-tools"
        )
        return
    ours, theirs, cpu_us = [], [], []
    with server("appliance") as appliance, server("responder") as responder:
        rate(appliance.host, appliance.port)
        for _ in range(ROUNDS):
            before_us = cpu_time_us(appliance.pid)
            ours.append(rate(appliance.host, appliance.port))
            cpu_us.append((cpu_time_us(appliance.pid) - before_us) / QUESTIONS)
            theirs.append(rate(responder.host, responder.port))
    rates = f"{statistics.median(ours):.0f}/s, minimal server {statistics.median(theirs):.0f}/s; by lxi benchmark"
    yield Figure("*IDN? on the raw socket : minimal server", median_ratio(ours, theirs), "x", LEAST_RATIO, rates)
    yield Figure("processor time of an *IDN? in the server", statistics.median(cpu_us), "us", MOST_CPU_US)


def cpu_time_us(pid: int) -> float:
    """Return the processor time that the threads of a process have had."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1000


def rate(host: str, port: int) -> float:
    command = ["lxi", "benchmark", "-a", host, "-p", str(port), "-r", "-c", str(QUESTIONS)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (result,) = re.findall(r"Result: ([0-9.]+) requests/second", finished.stdout)
    return float(result)


def crowd(host: str, port: int) -> tuple[list[int], float]:
    """Return how many answers each client got, and the longest that one waited, in seconds."""
    with ExitStack() as opened, selectors.DefaultSelector() as selector:
        answers, asked, longest = [0] * CLIENTS, [0.0] * CLIENTS, 0.0
        for number in range(CLIENTS):
            sock = opened.enter_context(socket.create_connection((host, port)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(sock, selectors.EVENT_READ, number)
            asked[number] = time.monotonic()
            sock.sendall(QUESTION)
        until = time.monotonic() + CROWD_S
        while time.monotonic() < until:
            for key, _ in selector.select(1.0):
                key.fileobj.recv(4096)
                longest = max(longest, time.monotonic() - asked[key.data])
                answers[key.data] += 1
                asked[key.data] = time.monotonic()
                key.fileobj.sendall(QUESTION)
        return answers, longest
