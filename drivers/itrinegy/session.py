"""Session: who is logged in on a NE-ONE, over a connection a command; a session that has ended is begun again.

Source: itrinegy.py in github.com/nijokarively/itrinegy-api. Nothing was tried on hardware.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from threading import Lock
from time import monotonic_ns, sleep

from impairlab.drivers.itrinegy.text import options_in, quoted
from impairlab.drivers.links.link import Exchange, Link
from impairlab.drivers.model.errors import AuthError, InstrumentExecutionError, MalformedResponse

SESSION_ID = re.compile(r'(?<=--sessionId ")[^"]+|(?<=--sessionId )[^"\s]+')
"""What is hidden in logs: it lets anybody act as the user until the session ends."""

_NO_NUMBER = 0
"""The appliance numbers no errors."""

_ENDED = "Unable to find user session"
_IN_USE = "in use"
_IN_USE_ATTEMPTS = 3
_IN_USE_PAUSE_S = 2.0
"""As the published client waits: a port may be told to be in use shortly after it was let go."""


class Session:
    """Commands of one user, each on a connection of its own.

    A command that meets an ended session had no effect: the session is begun again and the command repeated, once.

    Args:
        link: Carries one command a connection.
        user: Who logs in.
        password: Of the user.
        name: What errors call the appliance.
    """

    def __init__(self, link: Link, user: str, password: str, name: str) -> None:
        self._link = link
        self._login = quoted(f"{user};{password}")
        self._user = user
        self._name = name
        self._lock = Lock()
        self._id = ""

    def ask(self, command: str) -> str:
        """Ask something that changes nothing.

        Raises:
            InstrumentExecutionError: It is refused; the appliance's words stand in the error.
            AuthError: The login is.
        """
        return self._in_session(self._queried, command).reply

    def change(self, command: str) -> Exchange:
        """Send a command that is acknowledged by --ok; raises as `ask`."""
        done = self.create(command)
        if done.reply.strip() != "--ok":
            raise self.malformed(command, done.reply, "not acknowledged by --ok")
        return done

    def create(self, command: str) -> Exchange:
        """Send a command that changes something and answers more than --ok; raises as `ask`.

        What is refused as in use is tried again for a while.
        """
        for _ in range(_IN_USE_ATTEMPTS):
            try:
                return self._in_session(self._link.exchange, command)
            except InstrumentExecutionError as refused:
                if _IN_USE not in refused.text:
                    raise
            sleep(_IN_USE_PAUSE_S)
        return self._in_session(self._link.exchange, command)

    def malformed(self, command: str, reply: str, problem: str) -> MalformedResponse:
        """Return the error for an answer that cannot be read."""
        return MalformedResponse(
            problem, appliance=self._name, command=command, seen=reply.encode(), state_known=False
        )  # fmt: skip

    def _queried(self, command: str) -> Exchange:
        sent_ns = monotonic_ns()
        return Exchange(self._link.query(command), sent_ns, monotonic_ns())

    def _in_session(self, send: Callable[[str], Exchange], command: str) -> Exchange:
        known = self._id or self._begin("")
        done = send(f"--sessionId {known} {command}")
        if _ENDED in self._refusal(command, done.reply):
            done = send(f"--sessionId {self._begin(known)} {command}")
        refusal = self._refusal(command, done.reply)
        if _ENDED in refusal:
            raise AuthError("a session ends as soon as it has begun", appliance=self._name, command=command)
        if refusal:
            raise InstrumentExecutionError([(_NO_NUMBER, refusal)], appliance=self._name, command=command)
        return done

    def _begin(self, ended: str) -> str:
        """Return the id of a session, in quotes; of one that another thread began meanwhile, too."""
        with self._lock:
            if self._id == ended:
                self._id = self._logged_in()
            return self._id

    def _logged_in(self) -> str:
        reply = self._link.query(f"--login {self._login}")
        refusal = self._refusal("--login", reply)
        if refusal:
            raise AuthError(f"refuses {self._user!r}: {refusal}", appliance=self._name, command="--login")
        found = dict(self._options("--login", reply)).get("sessionId")
        if not found:
            raise self.malformed("--login", "", "no session id")
        return quoted(found)

    def _refusal(self, command: str, reply: str) -> str:
        """Return what is said against a command; "" where it is not refused."""
        if not reply.lstrip().startswith("--error"):
            return ""
        return " ".join(value for _, value in self._options(command, reply)).strip() or "no reason given"

    def _options(self, command: str, reply: str) -> list[tuple[str, str]]:
        try:
            return [*options_in(reply)]
        except ValueError as error:
            raise self.malformed(command, reply, str(error)) from error
