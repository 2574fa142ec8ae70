"""Who may ask: accounts, tokens that expire, and the ports that each has reserved."""

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

from impairlab.sim_hardware.rest.refusals import Refused
from impairlab.sim_hardware.sne import house

_MOST_TOKENS = 256


class Users:
    """The accounts of newer firmware, or the user names of 6.1.

    Args:
        accounts: Passwords by user name.
        lifetime_ns: How long a token is good for.
        clock: Nanoseconds that never go back.
    """

    def __init__(self, accounts: Mapping[str, str], lifetime_ns: int, clock: Callable[[], int]) -> None:
        self._accounts = dict(accounts)
        self._lifetime_ns = lifetime_ns
        self._clock = clock
        self._tokens: dict[str, tuple[str, int]] = {}
        self._issued = 0

    def authenticate(self, name: object, password: object) -> str:
        """Return a token. Raises `Refused`."""
        if not isinstance(name, str) or name not in self._accounts or self._accounts[name] != password:
            raise Refused(house.UNAUTHORISED, "wrong user name or password")
        self._issued += 1
        token = sha256(f"{name}:{self._issued}".encode()).hexdigest()
        self._tokens[token] = (name, self._clock() + self._lifetime_ns)
        while len(self._tokens) > _MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        return token

    def of_token(self, token: str | None) -> str:
        """Return whose token it is. Raises `Refused`."""
        name, until_ns = self._tokens.get(token or "", ("", 0))
        if not name:
            raise Refused(house.UNAUTHORISED, "a bearer token is required: POST /users/authenticate")
        if self._clock() >= until_ns:
            raise Refused(house.UNAUTHORISED, "the token has expired")
        return name

    def of_name(self, name: str | None) -> str:
        """Return the user of this name; where there are no accounts it is nobody. Raises `Refused`."""
        if not self._accounts:
            return ""
        if name is None or name not in self._accounts:
            raise Refused(house.UNAUTHORISED, "userToken must name a user")
        return name

    def expire(self) -> None:
        """Let no token be good any more."""
        self._tokens.clear()


class Reservations:
    """Which port is whose."""

    def __init__(self) -> None:
        self._holders: dict[int, str] = {}

    def reserve(self, user: str, ports: Iterable[int]) -> None:
        """Give ports to a user. Raises `Refused` when another holds one of them; nothing has changed then."""
        wanted = tuple(ports)
        self.require(user, wanted)
        self._holders.update(dict.fromkeys(wanted, user))

    def release(self, user: str, ports: Iterable[int]) -> None:
        """Take ports from a user who holds them; others stay as they are. Raises `Refused` when another holds one."""
        wanted = tuple(ports)
        self.require(user, wanted)
        for port in wanted:
            self._holders.pop(port, None)

    def require(self, user: str, ports: Iterable[int]) -> None:
        """Raise `Refused` when another user holds one of these ports."""
        for port in ports:
            holder = self._holders.get(port, user)
            if holder != user:
                raise Refused(house.RESERVED, f"port {port} is reserved by {holder}")
