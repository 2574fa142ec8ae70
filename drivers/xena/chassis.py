"""A session with a chassis: logged on under a name, lines and answers in batches, and its reservations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from threading import Lock
from time import monotonic_ns, sleep

from impairlab.drivers.links.batch import BatchLink, EndMark
from impairlab.drivers.links.link import Ask, Exchange
from impairlab.drivers.links.wire_log import Redaction
from impairlab.drivers.model.applied import Identity
from impairlab.drivers.model.errors import (
    AuthError,
    IdentityMismatch,
    InstrumentError,
    LockedByOther,
    MalformedResponse,
)
from impairlab.drivers.options import Options
from impairlab.drivers.xena.address import ModuleAddress
from impairlab.drivers.xena.text import (
    NOT_LOGGED_ON,
    NOT_RESERVED,
    PENDING,
    STATUS_NUMBERS,
    Answer,
    Line,
    asking,
    quoted,
    read_answers,
    refusal,
    setting,
)

SYNC = EndMark("SYNC", "<SYNC>")

FACTORY_PASSWORD = "xena"  # noqa: S105 - what the vendor's documents log on with
"""Used where the options have no secret."""

LONGEST_BATCH = 50
"""Lines in one exchange: their answers are read when all are sent, so both must fit between the two ends."""

_FIRST_PAUSE_NS = 5_000_000
_LONGEST_PAUSE_NS = 200_000_000
_STALE_PAUSE_NS = 50_000_000

FREE, OURS, OTHERS = "RELEASED", "RESERVED_BY_YOU", "RESERVED_BY_OTHER"


class Chassis:
    """A session. Connects and logs on when it is made, and again whenever the connection was lost.

    The chassis closes a connection that is idle for its C_TIMEOUT, 130 s as it comes. That is noticed before the next
    line is sent, and costs a new logon; what was reserved is reserved again. So no thread needs to keep it alive.

    Args:
        address: Where.
        name: What errors call the appliance.
        options: How to connect.

    Attributes:
        identity: Who answers.
    """

    def __init__(self, address: ModuleAddress, name: str, options: Options) -> None:
        self._address = address
        self._name = name
        self._serial = options.serial
        self._patience_ns = options.timeout_ns
        self._redaction = Redaction([options.secret] if options.secret else [])
        self._logon = _logon(options.secret or FACTORY_PASSWORD, name)
        self._identity: Identity | None = None
        self._kept: set[str] = set()
        self._held: set[str] = set()
        self._reserving = Lock()
        self._link = BatchLink(
            address.host, address.port, end=SYNC,
            name=name, greeting=self._greet, wire_log=options.wire_log,
            secrets=[options.secret] if options.secret else [], timeout_ns=options.timeout_ns, gap_ns=options.gap_ns,
        )  # fmt: skip

    @property
    def identity(self) -> Identity:
        """Who answers."""
        if self._identity is None:
            raise MalformedResponse("did not say who it is", appliance=self._name)
        return self._identity

    def ask(self, queries: Sequence[Line]) -> list[Answer]:
        """Return the answers to queries; errors that a line does not tolerate are raised.

        Raises:
            InstrumentError, AuthError, SessionLimit: The first error that was answered.
            MalformedResponse: Answers that fit no question.
        """
        answers: list[Answer] = []
        for lines in _batches(queries):
            replies = self._link.query_batch(list(map(str, lines)))
            answers += self._settled(self._answers(lines, replies, harmless=True), harmless=True)
        failed = [answer for answer in answers if answer.failed]
        if failed:
            raise refusal(failed, appliance=self._name, state_known=True)
        return answers

    def do(self, lines: Sequence[Line]) -> Exchange:
        """Do what the lines say, in their order, and return when the first left and the last was acknowledged.

        Raises:
            InstrumentError, AuthError, SessionLimit: Lines were refused; `state_known` when all of them were.
            MalformedResponse: Answers that fit no line.
        """
        sent_ns = acknowledged_ns = monotonic_ns()
        answers: list[Answer] = []
        for number, batch in enumerate(_batches(lines)):
            done = self._link.exchange_batch(list(map(str, batch)))
            sent_ns = done.sent_ns if number == 0 else sent_ns
            answers += self._settled(self._answers(batch, done.replies, harmless=False), harmless=False)
            acknowledged_ns = monotonic_ns()
            failed = [answer for answer in answers if answer.failed]
            if failed:
                untouched = len(failed) == len(answers)
                raise refusal(failed, appliance=self._name, state_known=untouched)
        return Exchange("", sent_ns, acknowledged_ns)

    def resynchronise(self) -> None:
        """Make a new connection now, with the patience of an exchange."""
        self._link.resynchronise(self._patience_ns)

    def reserve(self, ports: Iterable[str]) -> None:
        """Reserve ports that are not ours yet; all or none of them.

        What is reserved in our own name by another session is waited for as long as an exchange may take: it may be one
        that we lost, and its end not yet noticed.

        Raises:
            LockedByOther: Somebody else has one of them, or the module or chassis.
        """
        with self._reserving:
            self._reserve_all(tuple(ports))

    def keep(self, ports: Iterable[str]) -> None:
        """Let no new connection do without these ports."""
        self._kept = set(ports)

    def release(self) -> None:
        """Give back every port that was reserved here."""
        held, self._held, self._kept = self._held, set(), set()
        ours = [port for port, state in self._states(sorted(held)).items() if state == OURS]
        if ours:
            self.do([setting("P_RESERVATION", port, (), "RELEASE") for port in ours])

    def relinquish(self, ports: Sequence[str]) -> None:
        """Take from others what they have reserved of these ports."""
        others = [port for port, state in self._states(ports).items() if state == OTHERS]
        if others:
            self.do([setting("P_RESERVATION", port, (), "RELINQUISH") for port in others])

    def holder(self, ports: Sequence[str]) -> str | None:
        """Return who else has one of the ports; None when nobody has."""
        for port, state in self._states(ports).items():
            if state == OTHERS:
                return self._owner("P_RESERVEDBY", port)
        return None

    @property
    def holds(self) -> bool:
        """Whether anything was reserved here."""
        return bool(self._held)

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def _reserve_all(self, ports: Sequence[str]) -> None:
        until_ns = monotonic_ns() + self._patience_ns
        states = self._states(ports)
        while others := [port for port in ports if states[port] == OTHERS]:
            holder = self._owner("P_RESERVEDBY", others[0])
            if holder != self._address.owner or monotonic_ns() >= until_ns:
                raise LockedByOther(holder, appliance=self._name)
            sleep(_STALE_PAUSE_NS / 1e9)
            states = self._states(ports)
        taken: list[str] = []
        for port in ports:
            if states[port] != OURS:
                self._reserve_one(port, taken)
                taken.append(port)
        self._held.update(ports)

    def _states(self, ports: Sequence[str]) -> dict[str, str]:
        answers = self.ask([asking("P_RESERVATION", port) for port in ports])
        return {port: str(answer.values[0]) for port, answer in zip(ports, answers, strict=True)}

    def _reserve_one(self, port: str, taken: Sequence[str]) -> None:
        """Reserve a port, or give back those that were taken with it."""
        try:
            self.do([setting("P_RESERVATION", port, (), "RESERVE")])
        except InstrumentError as refused:
            if taken:
                self.do([setting("P_RESERVATION", each, (), "RELEASE") for each in taken])
            holder = self.holder([port]) or self._owner_above()
            if holder:
                raise LockedByOther(holder, appliance=self._name, command=refused.command) from refused
            raise

    def _owner_above(self) -> str:
        """Return who has the whole module or chassis: a port is free then, and cannot be reserved."""
        return self._owner("M_RESERVEDBY", str(self._address.module)) or self._owner("C_RESERVEDBY", "")

    def _owner(self, name: str, place: str) -> str:
        (answer,) = self.ask([asking(name, place)])
        return str(answer.values[0])

    def _settled(self, answers: list[Answer], *, harmless: bool) -> list[Answer]:
        """Send again what was not carried out, until all was or patience ends.

        That is all from the first line on that is pending; or that came on a session which is not logged on any more,
        once, on a new one.
        """
        until_ns = monotonic_ns() + self._patience_ns
        pause_ns = _FIRST_PAUSE_NS
        may_log_on = True
        while (first := _first_undone(answers)) is not None and monotonic_ns() + pause_ns < until_ns:
            if answers[first].error != PENDING:
                if not may_log_on:
                    break
                may_log_on = False
                self._link.desynchronise("not logged on any more")
            sleep(pause_ns / 1e9)
            pause_ns = min(2 * pause_ns, _LONGEST_PAUSE_NS)
            lines = [answer.line for answer in answers[first:]]
            texts = list(map(str, lines))
            replies = self._link.query_batch(texts) if harmless else self._link.exchange_batch(texts).replies
            answers = answers[:first] + self._answers(lines, replies, harmless=harmless)
        return answers

    def _answers(self, lines: Sequence[Line], replies: Sequence[str], *, harmless: bool) -> list[Answer]:
        try:
            return read_answers(lines, replies)
        except ValueError as error:
            self._link.desynchronise(str(error))
            raise MalformedResponse(
                str(error), appliance=self._name, command=str(lines[0]), seen="\n".join(replies).encode()[:4096],
                state_known=harmless, retryable=harmless,
            ) from error  # fmt: skip

    def _greet(self, ask: Ask) -> None:
        """Log on, see who answers, and take again what was kept."""
        self._greet_with(ask, self._logon, AuthError)
        self._greet_with(ask, setting("C_OWNER", "", (), self._address.owner), None)
        self._identify(ask)
        for port in sorted(self._held):
            self._take_again(ask, port)

    def _identify(self, ask: Ask) -> None:
        module = str(self._address.module)
        model, serial, firmware = (
            self._first_answered(ask, asking(f"M_{what}", module), asking(f"C_{what}"))
            for what in ("MODEL", "SERIALNO", "VERSIONNO")
        )
        identity = Identity(manufacturer="Xena", model=model, serial=serial, firmware=firmware)
        if self._serial not in {None, serial}:
            raise IdentityMismatch(f"expected serial number {self._serial!r}, {identity} answers", appliance=self._name)
        if self._identity not in {None, identity}:
            raise IdentityMismatch(
                f"{self._identity} answered before, now {identity}", appliance=self._name, state_known=False
            )
        self._identity = identity

    def _first_answered(self, ask: Ask, *queries: Line) -> str:
        """Return the first value of the first query that is not refused; empty when all are."""
        for query in queries:
            answer = self._answer(ask, query)
            if not answer.error:
                return str(answer.values[0])
        return ""

    def _take_again(self, ask: Ask, port: str) -> None:
        """Reserve what was held before the connection was lost. What is to be kept must not be somebody else's now.

        In our own name it may be the session that was lost: the next write waits for its end.
        """
        state = self._answer(ask, asking("P_RESERVATION", port))
        if state.values == (FREE,):
            self._greet_with(ask, setting("P_RESERVATION", port, (), "RESERVE"), None)
        elif state.values == (OTHERS,) and port in self._kept:
            answer = self._answer(ask, asking("P_RESERVEDBY", port))
            holder = str(answer.values[0]) if answer.values else ""
            if holder != self._address.owner:
                raise LockedByOther(holder, appliance=self._name)

    def _greet_with(self, ask: Ask, line: Line, kind: type[AuthError] | None) -> None:
        answer = self._answer(ask, line)
        if not answer.failed:
            return
        error = refusal([answer], appliance=self._name, state_known=True)
        error.command = self._redaction.hide(error.command)
        if kind is not None and isinstance(error, InstrumentError):
            raise kind(f"refused the logon: {answer.text}", appliance=self._name)
        raise error

    def _answer(self, ask: Ask, line: Line) -> Answer:
        reply = ask(str(line))
        try:
            (answer,) = read_answers([line], [reply])
        except ValueError as error:
            raise MalformedResponse(
                self._redaction.hide(str(error)), appliance=self._name, command=line.command.name, seen=reply.encode(),
                retryable=True,
            ) from error  # fmt: skip
        return answer


def is_not_reserved(error: InstrumentError) -> bool:
    """Whether lines were refused because a port is not ours."""
    return error.code == STATUS_NUMBERS[NOT_RESERVED]


def _logon(password: str, name: str) -> Line:
    try:
        quoted(password)
    except ValueError as error:
        raise AuthError("a password is printable ASCII without quotes", appliance=name) from error
    return setting("C_LOGON", "", (), password)


def _batches(lines: Sequence[Line]) -> Iterable[list[Line]]:
    for start in range(0, len(lines), LONGEST_BATCH):
        yield list(lines[start : start + LONGEST_BATCH])


def _first_undone(answers: Sequence[Answer]) -> int | None:
    undone = (PENDING, NOT_LOGGED_ON)
    return next((number for number, answer in enumerate(answers) if answer.error in undone), None)
