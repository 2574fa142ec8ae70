"""A scripted shell of a Netropy: what is published, and house words where nothing is."""

from __future__ import annotations

import re

from impairlab.drivers.links.ssh import HostKey
from impairlab.drivers.testing.ssh_peer import ChannelWire, ShellWire, new_host_key

KEY = new_host_key()
FINGERPRINT = HostKey(KEY.get_name(), KEY.asbytes()).fingerprint
PROMPT = b"[admin@netropy]> "
KEYS = {"loss": "Loss", "delay": "Delay", "duplication": "Duplication", "network-outage": "Network outage"}
CLOUD = re.compile(r"engine 1 path (?P<path>[12]) set (?P<what>\S+) (?P<words>.+) (?P<ends>port [12] to port [12])")
ACCESS = re.compile(r"engine 1 path ([12]) set bw fixed (\d+ [KMG]?bps) port ([12]) (in|out)")
SHOWN = ("Loss", "Corruption", "Delay", "Reordering", "Duplication", "Network outage")


class Netropy:
    """What is set, as `show` shows it. The words of `show` are the house's; its shape is published."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.emulation = "off"
        self.conditions = {
            (path, ends): dict.fromkeys(SHOWN, "None")
            for path in "12"
            for ends in ("port 1 to port 2", "port 2 to port 1")
        }  # fmt: skip
        self.bandwidth = {(path, port, side): "1 Gbps" for path in "12" for port in "12" for side in ("out", "in")}
        self.answers: dict[str, list[str]] = {}
        self.statistics_in = 0

    def serve(self, _number: int, wire: ChannelWire) -> None:
        """Be the script of an SSH peer."""
        shell = ShellWire(wire, prompt=PROMPT, greeting=b"Netropy\r\n\r\n")
        while (line := shell.read_line()) is not None:
            answer = self.answer(line)
            shell.send(answer.replace("\n", "\r\n").encode() + (b"\r\n" if answer else b""))

    def answer(self, line: str) -> str:
        self.sent.append(line)
        if self.answers.get(line):
            return self.answers[line].pop(0)
        if line == "":
            return ""
        if found := re.fullmatch(r"engine 1 path ([12]) show", line):
            return self.show(found[1])
        if found := re.fullmatch(r"engine 1 emulation (on|off)", line):
            self.emulation = found[1]
            return ""
        if found := ACCESS.fullmatch(line):
            path, rate, port, side = found.groups()
            self.bandwidth[path, port, side] = rate
            return ""
        if (found := CLOUD.fullmatch(line)) and found["what"] in KEYS:
            if not re.search(r"\d|none", found["words"]):
                return f"*** Error: {found['words']} is not a value"
            self.conditions[found["path"], found["ends"]][KEYS[found["what"]]] = found["words"]
            return ""
        if line == "engine 1 statistics reset":
            self.statistics_in = 3
            return ""
        if line.startswith("engine 1 statistics "):
            self.statistics_in -= 1
            return "ERROR" if self.statistics_in > 0 else self.statistics()
        return "Usage: engine <n> ..."

    def show(self, path: str) -> str:
        sections = [f"Path {path}: lan {path}"]
        for port in "12":
            sections += [self.access(path, port, side) for side in ("out", "in")]
        for ends in ("port 1 to port 2", "port 2 to port 1"):
            values = "\n".join(f"\t{key}: {_titled(value)}" for key, value in self.conditions[path, ends].items())
            sections.append(f"WAN Conditions: {ends.replace('port', 'Port')}:\n{values}")
        return "\n\n\n".join(sections)

    def access(self, path: str, port: str, side: str) -> str:
        return (
            f"WAN Access: Port {port}, {side}bound\n\tFixed\n\tBandwidth: {self.bandwidth[path, port, side]}\n"
            "\tBackground Utilization: 0%\n\tQueue: Default (250ms)\n\tQueue Type: FIFO\n\tMTU Limit: None\n"
            "\tFrame Overhead: 38"
        )

    def statistics(self) -> str:
        columns = [(f"lan {p}", d, k) for p in "12" for d in ("Port 1 to Port 2", "Port 2 to Port 1")
                   for k in ("tx_rate", "tx_bytes", "tx_frames", "drops")]  # fmt: skip
        heads = ["," + ",".join(column[n] for column in columns) for n in range(3)]
        return "\n".join([*heads, "1," + ",".join(str(n) for n in range(len(columns)))])


def _titled(words: str) -> str:
    found = re.fullmatch(r"gilbert-elliott good-state loss (\S+) change (\S+) bad-state loss (\S+) change (\S+)", words)
    if found is None:
        return words[:1].upper() + words[1:]
    good, bad = (
        f"Loss probability: {a}%, Change probability: {b}%" for a, b in (found.groups()[:2], found.groups()[2:])
    )
    return f"Gilbert-Elliott:\n  Good state: {good}\n  Bad state: {bad}"
