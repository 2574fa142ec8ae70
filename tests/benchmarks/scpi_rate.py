"""How many *IDN? a second the simulated appliance answers on its raw socket, asked by `lxi benchmark` of lxi-tools.

The client is not ours and costs much of the time: beside stands what it gets from a server that does next to nothing.
Alone on a machine with two cores client and server have one each.
"""

import re
import shutil
import statistics
import subprocess
from collections.abc import Iterator

from figures import Figure
from servers import server

QUESTIONS = 10_000
ROUNDS = 5
TARGET = 8_000
"""The C library scpi-parser's example server is the better measure; it is in no package index here."""


def measure() -> Iterator[Figure]:
    if shutil.which("lxi") is None:
        yield Figure("*IDN? on the raw socket", 0, "/s", None, "not measured: apt-get install lxi-tools")
        return
    rates: dict[str, list[float]] = {"appliance": [], "responder": []}
    with server("appliance") as appliance, server("responder") as responder:
        for _ in range(ROUNDS):
            rates["appliance"].append(rate(*appliance))
            rates["responder"].append(rate(*responder))
    ours, least = statistics.median(rates["appliance"]), statistics.median(rates["responder"])
    yield Figure("*IDN? on the raw socket, by lxi benchmark", ours, "/s", TARGET, f"minimal server: {least:.0f}/s")


def rate(host: str, port: int) -> float:
    command = ["lxi", "benchmark", "-a", host, "-p", str(port), "-r", "-c", str(QUESTIONS)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (result,) = re.findall(r"Result: ([0-9.]+) requests/second", finished.stdout)
    return float(result)
