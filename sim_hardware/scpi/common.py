"""The commands every instrument has: IEEE 488.2 common commands, SYSTem and STATus.

Sources: IEEE 488.2, 10; SCPI-1999 volume 2, 20 (STATus) and 21 (SYSTem); Keysight Truevolt (SYSTem:LOCK).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from impairlab.sim_hardware.faults import EarlyComplete, EndlessErrors
from impairlab.sim_hardware.scpi.commands import Action, Declaration, Node, Query, Setting
from impairlab.sim_hardware.scpi.errors import ErrorEntry
from impairlab.sim_hardware.scpi.operations import Later
from impairlab.sim_hardware.scpi.parameters import Integer
from impairlab.sim_hardware.scpi.responses import Reply, Word
from impairlab.sim_hardware.scpi.status import StatusGroup

if TYPE_CHECKING:
    from impairlab.sim_hardware.scpi.instrument import Instrument

SCPI_VERSION = Word("1999.0")
NOBODY = "NONE"

_BYTE = Integer(minimum=0, maximum=255)
_REGISTER = Integer(minimum=0, maximum=65535)
_POWER_ON_CLEAR = Integer(minimum=-32767, maximum=32767)


def common_commands(instrument: "Instrument") -> Iterator[Declaration]:
    """Yield what IEEE 488.2 and SCPI require, and the recommended extras that the device has."""
    yield from _identification(instrument)
    yield from _standard_status(instrument)
    yield from _synchronisation(instrument)
    yield from _memories(instrument)
    yield from _system(instrument)
    yield from _lock(instrument)
    yield Action(":STATus:PRESet", lambda _: instrument.status.preset(), guarded=False)
    yield from _status_group(":STATus:OPERation", lambda: instrument.status.operation)
    yield from _status_group(":STATus:QUEStionable", lambda: instrument.status.questionable)


def _identification(instrument: "Instrument") -> Iterator[Declaration]:
    device = instrument.device
    yield Query("*IDN?", lambda _: Word(device.identity.show()), indefinite=True)
    yield Query("*OPT?", lambda _: Word(",".join(device.options) or "0"), indefinite=True)
    yield Query("*TST?", lambda _: device.self_test())
    yield Action("*RST", lambda _: instrument.reset())
    yield Action("*TRG", lambda _: device.trigger())


def _standard_status(instrument: "Instrument") -> Iterator[Declaration]:
    status = instrument.status

    def set_event_enable(_: Node, value: int) -> None:
        status.event_enable = value

    def set_service_enable(_: Node, value: int) -> None:
        status.service_enable = value

    def set_power_on_clear(_: Node, value: int) -> None:
        status.power_on_clear = value != 0

    def clear(at: Node) -> None:
        status.clear()
        at.session.errors.clear()
        instrument.operations.forget_waiting()

    yield Action("*CLS", clear, guarded=False)
    yield Query("*ESR?", lambda _: status.read_event())
    yield Query("*STB?", lambda at: int(at.session.status_byte()))
    yield Setting("*ESE", _BYTE, set_event_enable, lambda _: status.event_enable, guarded=False)
    yield Setting("*SRE", _BYTE, set_service_enable, lambda _: status.service_enable, guarded=False)
    yield Setting("*PSC", _POWER_ON_CLEAR, set_power_on_clear, lambda _: int(status.power_on_clear), guarded=False)


def _synchronisation(instrument: "Instrument") -> Iterator[Declaration]:
    def complete(_: Node) -> Reply | Later:
        early = instrument.faults.strike(EarlyComplete)
        return instrument.operations.reply_when_idle() if early is None else 1

    def wait(at: Node) -> None:
        if instrument.faults.peek(EarlyComplete) is None:
            at.session.hold_parser()

    yield Action("*OPC", lambda _: instrument.operations.arm(), guarded=False)
    yield Query("*OPC?", complete)
    yield Action("*WAI", wait, guarded=False)


def _memories(instrument: "Instrument") -> Iterator[Declaration]:
    device = instrument.device
    if device.save_slots:
        slot = Integer(minimum=0, maximum=device.save_slots - 1)
        yield Action("*SAV", lambda _, number: device.save(number), slot)
        yield Action("*RCL", lambda _, number: device.recall(number), slot)


def _system(instrument: "Instrument") -> Iterator[Declaration]:
    def next_error(at: Node) -> ErrorEntry:
        stuck = instrument.faults.strike(EndlessErrors)
        return at.session.errors.pop() if stuck is None else ErrorEntry(stuck.code, stuck.text)

    def all_errors(at: Node) -> Sequence[ErrorEntry]:
        stuck = instrument.faults.strike(EndlessErrors)
        return at.session.errors.drain() if stuck is None else [ErrorEntry(stuck.code, stuck.text)]

    yield Query(":SYSTem:VERSion?", lambda _: SCPI_VERSION)
    yield Query(":SYSTem:ERRor[:NEXT]?", lambda at: Word(next_error(at).show()))
    yield Query(":SYSTem:ERRor:COUNt?", lambda at: len(at.session.errors))
    yield Query(":SYSTem:ERRor:ALL?", lambda at: [Word(entry.show()) for entry in all_errors(at)])
    yield Query(":SYSTem:ERRor:CODE[:NEXT]?", lambda at: next_error(at).code)
    yield Query(":SYSTem:COMMunicate:TCPip:CONTrol?", lambda at: at.session.control_port())
    yield Query(":SYSTem:HELP:HEADers?", lambda _: "\n".join(instrument.table.headers).encode("ascii"))


def _lock(instrument: "Instrument") -> Iterator[Declaration]:
    lock = instrument.lock
    yield Query(":SYSTem:LOCK:REQuest?", lambda at: lock.request(at.session))
    yield Action(":SYSTem:LOCK:RELease", lambda at: lock.release(at.session), guarded=False)
    yield Query(":SYSTem:LOCK:OWNer?", lambda _: lock.owner.name if lock.owner else NOBODY)
    yield Query(":SYSTem:LOCK:NAME?", lambda at: at.session.name)


def _status_group(header: str, group: Callable[[], StatusGroup]) -> Iterator[Declaration]:
    def set_enable(_: Node, value: int) -> None:
        group().enable = value

    def set_rising(_: Node, value: int) -> None:
        group().rising = value

    def set_falling(_: Node, value: int) -> None:
        group().falling = value

    yield Query(f"{header}[:EVENt]?", lambda _: group().read_event())
    yield Query(f"{header}:CONDition?", lambda _: group().condition)
    yield Setting(f"{header}:ENABle", _REGISTER, set_enable, lambda _: group().enable, guarded=False)
    yield Setting(f"{header}:PTRansition", _REGISTER, set_rising, lambda _: group().rising, guarded=False)
    yield Setting(f"{header}:NTRansition", _REGISTER, set_falling, lambda _: group().falling, guarded=False)
