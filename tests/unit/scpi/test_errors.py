"""Error numbers, their classes, and a queue that stays bounded."""

import pytest

from impairlab.sim_hardware.scpi.errors import NOTHING, ErrorEntry, ErrorQueue, ScpiError, event_bit


@pytest.mark.parametrize(
    ("code", "bit"),
    [(0, 0), (-100, 32), (-199, 32), (-222, 16), (-363, 8), (7, 8), (-410, 4), (-500, 128), (-600, 64), (-700, 2)],
)
def test_class_sets_its_event_bit(code: int, bit: int) -> None:
    assert event_bit(code) == bit


def test_full_queue_keeps_the_oldest_and_ends_in_overflow() -> None:
    queue = ErrorQueue(3)
    for code in (1, 2, 3, 4, 5):
        queue.push(ErrorEntry(code, "x"))
    assert [entry.code for entry in queue.drain()] == [1, 2, -350]
    assert queue.pop() == NOTHING


def test_queue_needs_two_slots() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        ErrorQueue(1)


def test_entry_is_quoted_bounded_and_printable() -> None:
    shown = ScpiError(-113, 'A"B\n\xff' + "x" * 400).entry.show()
    assert shown.startswith('-113,"Undefined header;A""B??xxx')
    assert len(ScpiError(-113, "x" * 400).entry.show()) == len('-113,""') + 255


def test_device_specific_number_needs_a_text() -> None:
    assert ScpiError(1, text="Lamp broken").entry == ErrorEntry(1, "Lamp broken")
    with pytest.raises(ValueError, match="given no text"):
        ScpiError(1)
