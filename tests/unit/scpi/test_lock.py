"""The arbiter: transport locks as HiSLIP's Table 15 has them, SYSTem:LOCK, and both together."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

import pytest

from impairlab.sim_hardware.scpi import Instrument, Session
from impairlab.sim_hardware.scpi.lock import Arbiter, LockAnswer, SharedLock

FOLDER = Path(os.environ.get("IMPAIRLAB_VECTORS", Path(__file__).parents[3].parent / "shared" / "vectors"))
VECTORS_FILE = FOLDER / "scpi.json"
TABLE_15 = json.loads(VECTORS_FILE.read_text(encoding="utf-8"))["hislip_locks"] if VECTORS_FILE.is_file() else []

KEY = "the key"


@dataclass(eq=False)
class Client:
    name: str


HOLDER, SHARER, STRANGER = Client("holder"), Client("sharer"), Client("stranger")


def in_state(state: str, client: str) -> SharedLock:
    """The lock as the row of the table finds it; `HOLDER` has whatever is held."""
    lock = SharedLock()
    if state in {"shared", "both"}:
        lock.request_shared(HOLDER, KEY)
        if client not in {"last shared holder"}:
            lock.request_shared(SHARER, KEY)
    if state in {"exclusive", "both"}:
        lock.request_exclusive(HOLDER)
    return lock


WHO = {
    "any": STRANGER,
    "other": STRANGER,
    "holds nothing": STRANGER,
    "other, right key": STRANGER,
    "other, wrong key": STRANGER,
    "not a shared holder": STRANGER,
    "not the exclusive holder": SHARER,
    "shared holder": SHARER,
    "other shared holder": SHARER,
    "shared holder, 2+ holders": SHARER,
    "last shared holder": HOLDER,
    "exclusive holder": HOLDER,
    "exclusive+shared holder": HOLDER,
}


def state_of(lock: SharedLock) -> str:
    return {(False, False): "unlocked", (True, False): "exclusive", (False, True): "shared", (True, True): "both"}[
        lock.exclusive is not None, bool(lock.sharers)
    ]


@pytest.mark.skipif(not TABLE_15, reason=f"{VECTORS_FILE} is not there; IMPAIRLAB_VECTORS names its folder")
@pytest.mark.parametrize("row", TABLE_15, ids=lambda row: f"{row['state']}-{row['request']}-{row['client']}")
def test_lock_follows_table_15(row) -> None:
    lock, asker = in_state(row["state"], row["client"]), WHO[row["client"]]
    match row["request"]:
        case "exclusive":
            answer = lock.request_exclusive(asker)
        case "shared":
            answer = lock.request_shared(asker, "another key" if "wrong key" in row["client"] else KEY)
        case "release":
            answer = lock.release(asker)
    wanted = 0 if row["response"] == "0 after timeout" else row["response"]
    assert (answer, state_of(lock)) == (wanted, row["new_state"])


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def arbiter(changes: list[str]) -> Arbiter:
    return Arbiter(RLock(), lambda: changes.append("changed"))


def test_transport_lock_bars_all_but_its_holders(arbiter: Arbiter) -> None:
    assert arbiter.lock_shared(HOLDER, KEY) is LockAnswer.SUCCESS
    assert arbiter.lock_shared(SHARER, KEY) is LockAnswer.SUCCESS
    assert [arbiter.bars(each) for each in (HOLDER, SHARER, STRANGER)] == [False, False, True]
    arbiter.lock_exclusive(HOLDER)
    assert [arbiter.bars(each) for each in (HOLDER, SHARER, STRANGER)] == [False, True, True]
    assert (arbiter.exclusive_holder, arbiter.holder_count) == (HOLDER, 2)


def test_neither_lock_is_granted_against_the_other(arbiter: Arbiter) -> None:
    assert arbiter.request(HOLDER)
    assert arbiter.lock_exclusive(STRANGER) is LockAnswer.FAILURE
    assert arbiter.lock_shared(STRANGER, KEY) is LockAnswer.FAILURE
    assert not arbiter.bars(STRANGER), "SYSTem:LOCK lets the others ask"
    assert arbiter.refuses(STRANGER)
    arbiter.release(HOLDER)
    assert arbiter.lock_exclusive(STRANGER) is LockAnswer.SUCCESS
    assert not arbiter.request(HOLDER)
    assert arbiter.request(STRANGER), "one may have both"


def test_every_change_is_told_and_no_refusal_is(arbiter: Arbiter, changes: list[str]) -> None:
    arbiter.lock_exclusive(HOLDER)
    arbiter.request(HOLDER)
    assert len(changes) == 2
    arbiter.lock_exclusive(STRANGER)
    arbiter.lock_exclusive(HOLDER)
    arbiter.unlock(STRANGER)
    arbiter.request(STRANGER)
    assert len(changes) == 2
    arbiter.release_all(HOLDER)
    assert len(changes) == 4
    assert arbiter.owner is None


def test_session_that_closes_gives_back_its_transport_lock(instrument: Instrument, session: Session) -> None:
    told: list[str] = []
    instrument.listen(lambda: told.append("look again"))
    with instrument.open_session("vxi-11") as other:
        assert instrument.lock.lock_exclusive(other) is LockAnswer.SUCCESS
        assert session.feed(b"LAMP:LEV 0.25;LEV?;:SYST:LOCK:OWN?;REQ?\n") == b'0.5;"vxi-11";0\n'
        assert session.feed(b"SYST:ERR:CODE?;:STAT:OPER:COND?\n") == b"-203;1024\n"
        told.clear()
    assert told == ["look again"]
    assert session.feed(b"LAMP:LEV 0.25;LEV?;:SYST:LOCK:OWN?;:STAT:OPER:COND?\n") == b'0.25;"NONE";0\n'


def test_errors_and_conditions_are_told_to_transports(instrument: Instrument, session: Session) -> None:
    told: list[str] = []
    instrument.listen(lambda: told.append("look again"))
    session.feed(b"NONSENSE\n")
    assert told == ["look again"]
    instrument.status.questionable.raise_bits(1)
    assert told == ["look again"], "nobody enabled it"
    session.feed(b"STAT:QUES:ENAB 2\n")
    instrument.status.questionable.raise_bits(2)
    assert told == ["look again"] * 2
