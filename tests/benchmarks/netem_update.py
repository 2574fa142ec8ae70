"""A full update of a netem: our own netlink message, pyroute2's, and tcconfig's tcset, on one kernel in one run.

All three set a delay of 20 to 29 ms with 2 ms of jitter and 1 % loss on a veth, in turns, inside of user-mode Linux.
Ours carries every attribute; pyroute2 sends those that are not zero; tcset is a process that starts anew for each.
Neither of them sends a table, so ours does not in what is compared; with one it has a line of its own. tcconfig lives
in an environment of its own, which `make bench` makes.
"""

import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
TCSET = HERE.parents[1] / ".venv-bench" / "bin" / "tcset"
ROUNDS = 5
BOOT_AND_RUN_S = 300


def measure() -> Iterator["Figure"]:  # noqa: F821 - the guest has no need of it
    from figures import Figure

    sys.path.insert(0, str(HERE.parent / "support"))
    from uml import Guest, obstacle

    if why := obstacle() or (None if TCSET.exists() else f"{TCSET} is not there: make bench makes it"):
        yield Figure("netem update: not measured", 0, "s", None, why)
        return
    with Guest(["/usr/bin/env", sys.executable, __file__, str(TCSET)]) as guest:
        took = guest.ask(None, BOOT_AND_RUN_S)
    ours = statistics.median(took["ours"])
    for name, what, target in (("tcset", "tcset of tcconfig", 100), ("pyroute2", 'pyroute2 tc("change")', 5)):
        theirs = statistics.median(took[name])
        ratio = statistics.median(b / a for a, b in zip(took["ours"], took[name], strict=True))
        beside = f"{ours * 1e6:.0f} us : {theirs * 1e6:.0f} us, in user-mode Linux"
        yield Figure(f"full update of a netem, netlink : {what}", ratio, "x", target, beside)
    yield Figure("the same with a table of 4096 entries", statistics.median(took["table"]) * 1e6, "us", None, "")
    yield Figure("apply of the driver, with both read-backs", statistics.median(took["apply"]) * 1e3, "ms", None, "")


def contend(tcset: str) -> dict[str, list[float]]:
    """Inside of the guest: seconds for one update, each round's median."""
    from pyroute2 import IPRoute

    from impairlab.drivers import Conditions, Target, connect
    from impairlab.drivers.netem.wire import messages, netem, tables
    from impairlab.drivers.netem.wire.links import links
    from impairlab.drivers.netem.wire.socket import RouteSocket

    for number in range(4):
        ip = ["ip", "link", "add", f"v{number}", "type", "veth", "peer", "name", f"p{number}"]
        subprocess.run(ip, check=True)
        subprocess.run(["ip", "link", "set", f"v{number}", "up"], check=True)
    delays = itertools.cycle(range(20, 30))
    table = tables.normal().entries
    took: dict[str, list[float]] = {}
    with RouteSocket() as route, IPRoute() as pyroute:
        mine, theirs = (messages.Place(links(route)[name].index, 0x1A7E0000, messages.ROOT) for name in ("v0", "v1"))
        route.change(
            [messages.add_qdisc(each, netem.KIND, netem.encode(netem.NetemState())) for each in (mine, theirs)]
        )

        def by_us(table: bytes = b"") -> None:
            state = netem.NetemState(
                latency_ns=next(delays) * 10**6, jitter_ns=2 * 10**6, table=table, loss=42_949_673, limit=1000
            )
            route.change([messages.change_qdisc(mine, netem.KIND, netem.encode(state))])

        def by_pyroute2() -> None:
            pyroute.tc("change", "netem", theirs.index, 0x1A7E0000, root=True, delay=next(delays) * 1000, jitter=2000,
                       loss=1, limit=1000)  # fmt: skip

        def by_tcset() -> None:
            words = [tcset, "v2", "--delay", f"{next(delays)}ms", "--delay-distro", "2ms", "--loss", "1%", "--change"]
            done = subprocess.run(words, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

        by_tcset()
        with connect("netem://local?paths=x:v3", driver="netem") as box:

            def by_driver() -> None:
                box.apply(Target(path="x", direction="a-b"), Conditions(delay=f"{next(delays)} ms", loss="1 %"))

            contenders: dict[str, tuple[Callable[[], None], int]] = {
                "ours": (by_us, 100), "table": (partial(by_us, table), 100), "pyroute2": (by_pyroute2, 50),
                "tcset": (by_tcset, 1), "apply": (by_driver, 20),
            }  # fmt: skip
            for _ in range(ROUNDS):
                for name, (update, times) in contenders.items():
                    took.setdefault(name, []).append(statistics.median(timed(update) for _ in range(times)))
            box.neutral()
    return took


def timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    draft = Path("/run/exchange/.answer-1")
    draft.write_text(json.dumps(contend(sys.argv[1])))
    draft.rename("/run/exchange/answer-1")
    time.sleep(60)  # the host ends the guest when it has read the answer
