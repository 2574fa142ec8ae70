"""The error tree: every failure that a user of a driver or link can meet, by name.

Each error carries the appliance (or address), the last command, the bytes seen, whether the appliance's state is still
known and whether a retry is safe. Only idempotent queries are ever safe to retry blindly: after a failed write the
driver reconnects, reads back and then decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from impairlab.drivers.model.capabilities import Violation


class ImpairlabError(Exception):
    """Root of all errors that impairlab raises on purpose.

    Attributes:
        appliance: Name or address of the appliance concerned, or "" where there is none.
        command: The last command that was sent, secrets removed, or "".
        seen: The bytes received before the failure.
        state_known: Whether what is programmed on the appliance is still known.
        retryable: Whether the same call may be made again without harm.
    """

    def __init__(
        self,
        message: str,
        *,
        appliance: str = "",
        command: str = "",
        seen: bytes = b"",
        state_known: bool = True,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.appliance = appliance
        self.command = command
        self.seen = seen
        self.state_known = state_known
        self.retryable = retryable

    def __str__(self) -> str:
        """One line: who, what went wrong, after which command."""
        who = f"{self.appliance}: " if self.appliance else ""
        after = f" (after {self.command!r})" if self.command else ""
        return f"{who}{self.message}{after}"


class TransportError(ImpairlabError):
    """The way to the appliance failed."""


class ConnectError(TransportError):
    """No connection could be made: refused, unreachable, or the name does not resolve."""


class ConnectionLost(TransportError):  # noqa: N818 - the field's own word, and part of the published tree
    """The peer closed or reset the connection."""


class SessionLimit(TransportError):  # noqa: N818
    """The appliance accepts no further session."""


class AuthError(TransportError):
    """The appliance refused the credentials."""


class HostKeyUnknown(TransportError):  # noqa: N818
    """The appliance shows a host key, and none is pinned for it."""


class HostKeyChanged(TransportError):  # noqa: N818
    """The appliance's host key is not the pinned one."""


class UntrustedCertificate(TransportError):  # noqa: N818
    """The appliance's certificate is not one that the system trusts, and none is pinned."""


class CertificateChanged(TransportError):  # noqa: N818
    """The appliance's certificate is not the pinned one."""


class IncompatiblePeer(TransportError):  # noqa: N818
    """The peer offers no algorithm or protocol version that we speak."""


class ExchangeTimeout(ImpairlabError):  # noqa: N818
    """An answer did not arrive within the exchange's deadline."""


class NoResponse(ExchangeTimeout):
    """Nothing arrived before the deadline."""


class PartialResponse(ExchangeTimeout):
    """The answer began and did not end before the deadline; `seen` holds what arrived."""


class ProtocolError(ImpairlabError):
    """The peer spoke, and what it said is not what the protocol allows."""


class Desynchronised(ProtocolError):  # noqa: N818
    """Answers no longer match questions and the link could not be brought back in step."""


class MalformedResponse(ProtocolError):  # noqa: N818
    """The answer cannot be read as what the question asked for."""


class UnexpectedOutput(ProtocolError):  # noqa: N818
    """The peer sent something that nobody asked for."""


class InstrumentError(ImpairlabError):
    """The appliance refused a command.

    Attributes:
        code: The appliance's own error number (SCPI: negative standard, positive device-specific).
        text: The appliance's own words.
        errors: All (code, text) pairs that the command caused, first one first.
    """

    def __init__(
        self,
        errors: Sequence[tuple[int, str]],
        *,
        appliance: str = "",
        command: str = "",
        state_known: bool = True,
    ) -> None:
        self.errors = tuple(errors)
        self.code, self.text = self.errors[0]
        listed = "; ".join(f"{code} {text}" for code, text in self.errors)
        super().__init__(
            f"refused by the appliance: {listed}", appliance=appliance, command=command, state_known=state_known
        )


class InstrumentCommandError(InstrumentError):
    """The appliance did not understand the command (SCPI -1xx)."""


class InstrumentExecutionError(InstrumentError):
    """The appliance understood and cannot do it (SCPI -2xx)."""


class InstrumentDeviceError(InstrumentError):
    """The appliance itself failed (SCPI -3xx and positive codes)."""


class InstrumentQueryError(InstrumentError):
    """Question and answer got out of order (SCPI -4xx)."""


class CapabilityError(ImpairlabError):
    """The appliance cannot do what was asked; nothing was sent.

    Attributes:
        violations: All of them, each with where, what and what would be legal.
    """

    def __init__(self, violations: Sequence[Violation], *, appliance: str = "") -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(str(violation) for violation in self.violations), appliance=appliance)


class LockedByOther(ImpairlabError):  # noqa: N818
    """Another session holds the appliance.

    Attributes:
        holder: Who, as far as the appliance says.
    """

    def __init__(self, holder: str, *, appliance: str = "", command: str = "") -> None:
        self.holder = holder
        super().__init__(
            f"locked by {holder or 'another session'}", appliance=appliance, command=command, retryable=True
        )


class RebootDetected(ImpairlabError):  # noqa: N818
    """The appliance restarted: what was programmed is gone."""


class VerifyMismatch(ImpairlabError):  # noqa: N818
    """What was read back is not what was set."""


class IdentityMismatch(ImpairlabError):  # noqa: N818
    """The box that answers is not the one expected."""


class FileError(ImpairlabError):
    """A file of the user's is wrong. `faults` lists every fault, one line each, with place and what is legal."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))
