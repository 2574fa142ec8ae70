"""What a Chimera answers to a command: its status codes, the same in text and in the binary protocol.

Source: xoa-cli reference, "Status Messages"; PyPI tdl-xoa-driver 1.11.0, which gives them numbers.
"""

from enum import IntEnum


class Status(IntEnum):
    """Answers other than values."""

    OK = 0
    NOCONNECTIONS = 1
    NOTLOGGEDON = 2
    NOTRESERVED = 3
    NOTWRITABLE = 4
    NOTREADABLE = 5
    NOTVALID = 6
    BADHEADER = 7
    BADCOMMAND = 8
    BADPARAMETER = 9
    BADMODULE = 10
    BADPORT = 11
    BADINDEX = 12
    BADSIZE = 13
    BADVALUE = 14
    FAILED = 15
    MEMORYFAILURE = 16
    NOLICPE = 17
    NOLICPORT = 18
    NOTSUPPORTED = 19
    PENDING = 20

    def __str__(self) -> str:
        return f"<{self.name}>"


class StatusError(Exception):
    """A command that is answered by something else than `OK`; nothing has changed.

    Attributes:
        status: The answer.
    """

    def __init__(self, status: Status) -> None:
        super().__init__(str(status))
        self.status = status
