"""Logging in: by agent, key file or password, and honest about which were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic_ns

import paramiko

from impairlab.drivers.links.ssh.endpoint import Login
from impairlab.drivers.links.ssh.handshake import left_s
from impairlab.drivers.model.errors import AuthError, NoResponse


def log_in(transport: paramiko.Transport, login: Login, name: str, until_ns: int) -> None:
    """Authenticate by the first means that is accepted: agent, key file, password; by none where there is no other.

    Args:
        transport: With a host key that was checked.
        login: Who, and by what.
        name: What errors call the appliance.
        until_ns: Deadline.

    Raises:
        AuthError: All were refused, or the key file cannot be read.
        NoResponse: Not in time.
    """
    tried, accepts = [], ""
    for means, attempt in _means(transport, login, name):
        transport.auth_timeout = left_s(until_ns)
        try:
            attempt()
        except paramiko.BadAuthenticationType as error:
            accepts = f"; the host accepts {', '.join(error.allowed_types) or 'nothing'}"
        except (paramiko.SSHException, EOFError, OSError) as error:
            if monotonic_ns() >= until_ns:
                raise NoResponse("no word about the login before the deadline", appliance=name) from error
            if not transport.is_active():
                problem = f"closed the connection on the login of {login.user} by {means}"
                raise AuthError(problem, appliance=name) from error
        if transport.is_authenticated():
            return
        tried.append(means)
    raise AuthError(
        f"refused {login.user} by {', '.join(tried) or 'no key: the agent has none'}{accepts}", appliance=name
    )


def _means(transport: paramiko.Transport, login: Login, name: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is tried, and how, in this order."""
    user = login.user
    if login.agent:
        agent = paramiko.Agent()
        try:
            for key in agent.get_keys():
                yield f"the agent's key {key.fingerprint}", partial(transport.auth_publickey, user, key)
        finally:
            agent.close()
    if login.key_file is not None:
        in_file = _read_key(login.key_file, login.password, name)
        yield f"the key in {login.key_file}", partial(transport.auth_publickey, user, in_file)
    elif login.password is not None:
        means = "the password" if login.password else "the empty password"
        yield means, partial(transport.auth_password, user, login.password)
    elif not login.agent:
        yield "neither password nor key", partial(transport.auth_none, user)


def _read_key(path: Path, passphrase: str | None, name: str) -> paramiko.PKey:
    problem = ""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key_file(str(path), passphrase)
        except OSError as error:
            raise AuthError(f"the key file {path} cannot be read: {error.strerror}", appliance=name) from error
        except paramiko.PasswordRequiredException as error:
            raise AuthError(f"the key in {path} needs its passphrase as the secret", appliance=name) from error
        except (paramiko.SSHException, ValueError) as error:
            problem = str(error)
    raise AuthError(f"the key in {path} cannot be used: {problem}", appliance=name)
