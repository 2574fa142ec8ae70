"""A VISA that is not PyVISA-py: what the link makes of its answers, its warnings and its errors."""

import time
from contextlib import nullcontext

import pytest
from pyvisa.constants import StatusCode
from pyvisa.errors import InvalidSession, VisaIOError

from impairlab.drivers.links.visa import VisaChannel

END, MORE, TIMEOUT = StatusCode.success, StatusCode.success_max_count_read, StatusCode.error_timeout


class Library:
    """Answers each read with the next of `script`: bytes and a status, or an error to raise."""

    def __init__(self, *script) -> None:
        self.script = list(script)
        self.written = []

    def write(self, session, content):
        self.written.append(content)

    def read(self, session, most):
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


class Resource:
    session = 7
    timeouts = ()
    closed = False

    def __init__(self, library) -> None:
        self.visalib = library
        self.timeouts = []

    def set_visa_attribute(self, name, value):
        self.timeouts.append(value)

    def ignore_warning(self, *_):
        return nullcontext()

    def close(self):
        self.closed = True
        raise InvalidSession


def soon() -> int:
    return time.monotonic_ns() + 2_000_000_000


def test_answer_comes_with_its_end_and_a_new_line_where_it_had_none() -> None:
    channel = VisaChannel(Resource(Library((b"1.5\n", END), (b"1.5", END), (b"", END))))
    assert [channel.receive(soon()) for _ in range(3)] == [b"1.5\n", b"1.5\n", b"\n"]


def test_new_line_without_end_waits_for_what_follows() -> None:
    channel = VisaChannel(Resource(Library((b"a\n", MORE), (b"b\n", END), (b"c\n", MORE), (b"", END))))
    assert [channel.receive(soon()) for _ in range(3)] == [b"a", b"\nb\n", b"c"]
    assert channel.receive(soon()) == b"\n"


def test_time_out_is_believed_only_at_the_deadline() -> None:
    library = Library(*[VisaIOError(TIMEOUT)] * 2, (b"late\n", END))
    assert VisaChannel(Resource(library)).receive(soon()) == b"late\n"
    assert VisaChannel(Resource(library)).receive(time.monotonic_ns()) is None


@pytest.mark.parametrize("error", [VisaIOError(StatusCode.error_connection_lost), InvalidSession(), RuntimeError("x")])
def test_any_other_error_is_an_oserror(error: Exception) -> None:
    with pytest.raises(OSError, match=r"."):
        VisaChannel(Resource(Library(error))).receive(soon())


def test_time_left_is_what_visa_is_given() -> None:
    resource = Resource(Library((b"1\n", END)))
    channel = VisaChannel(resource)
    assert channel.send(b"*IDN?\n", time.monotonic_ns() + 500_000_000)
    assert resource.visalib.written == [b"*IDN?\n"]
    assert 400 <= resource.timeouts[0] <= 500
    assert channel.waiting() is None


def test_close_never_raises() -> None:
    resource = Resource(Library())
    VisaChannel(resource).close()
    assert resource.closed
