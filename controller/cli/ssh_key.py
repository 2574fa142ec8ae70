"""`impairlab ssh-key`: by which key an appliance proves who it is, before it is given a password."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from impairlab.controller.cli.exits import Exit, Verb
from impairlab.drivers.links.ssh import HostKey, Login, SshEndpoint, parse_ssh, read_host_key, trust_of
from impairlab.drivers.model.errors import HostKeyChanged

_EXAMPLE = "ssh://192.0.2.1:22"


@click.group()
def ssh_key() -> None:
    """Enrol the host keys of appliances that are reached over SSH."""


@ssh_key.command(cls=Verb)
@click.option(
    "--replace", "replaces", is_flag=True, help="Also where another key is enrolled: the host was re-installed."
)
@click.option("--known-keys", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Where keys are kept; in the user's configuration unless given here or in the address.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Say it as one JSON document.")
@click.argument("address", metavar="ADDRESS")
def enrol(address: str, known_keys: Path | None, replaces: bool, as_json: bool) -> int:  # noqa: FBT001 - click's way
    """Ask the host at ADDRESS, ssh://HOST:PORT, for its key, show its fingerprint, and trust it from now on.

    Logs in nowhere. Compare the fingerprint with what the host shows of itself, at its console say.
    """
    endpoint = _endpoint(address, known_keys)
    key = read_host_key(endpoint, name=address)
    known = endpoint.known_keys.find(endpoint.host, endpoint.port)
    pinned = endpoint.trust.fingerprint
    if pinned not in {None, key.fingerprint}:
        raise HostKeyChanged(f"the address pins {pinned}, and the host shows {_show(key)}", appliance=address)
    if known and key not in known and not replaces:
        enrolled = " and ".join(_show(each) for each in known)
        problem = f"{enrolled} is enrolled, and the host shows {_show(key)}; if that is right: --replace"
        raise HostKeyChanged(problem, appliance=address)
    if key not in known:
        endpoint.known_keys.enrol(endpoint.host, endpoint.port, key)
    _tell(endpoint, key, known, as_json=as_json)
    return Exit.OK


def _endpoint(address: str, known_keys: Path | None) -> SshEndpoint:
    parsed = parse_ssh(address, example=_EXAMPLE)
    trust = trust_of(parsed, address)
    if known_keys is not None:
        trust = replace(trust, known_keys=known_keys)
    return SshEndpoint(parsed.host, parsed.port, Login(parsed.user or ""), trust)


def _tell(endpoint: SshEndpoint, key: HostKey, known: tuple[HostKey, ...], *, as_json: bool) -> None:
    instead = [each.fingerprint for each in known if each != key] if key not in known else []
    path = endpoint.trust.known_keys
    if as_json:
        told = {"host": endpoint.host, "port": endpoint.port, "kind": key.kind, "fingerprint": key.fingerprint,
                "new": key not in known, "instead_of": instead, "known_keys": str(path)}  # fmt: skip
        click.echo(json.dumps(told, indent=2))
        return
    what = (
        "was enrolled already"
        if key in known
        else "enrolled" + (f" instead of {', '.join(instead)}" if instead else "")
    )
    click.echo(f"{endpoint.host} port {endpoint.port}: {_show(key)} {what} in {path}")
    if key not in known:
        click.echo("Compare it with what the host shows of itself before you trust it with a password.")


def _show(key: HostKey) -> str:
    return f"{key.fingerprint} ({key.kind})"
