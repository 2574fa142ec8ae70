"""SSH: one connection with a pinned host key, and what runs in a channel of it, a command or an interactive shell."""

from impairlab.drivers.links.ssh.channel import SshChannel
from impairlab.drivers.links.ssh.connection import SshConnection, read_host_key
from impairlab.drivers.links.ssh.endpoint import SSH_PORT, SSH_SETTINGS, Login, SshEndpoint, Trust, parse_ssh, trust_of
from impairlab.drivers.links.ssh.host_keys import HostKey, KnownKeys, default_known_keys
from impairlab.drivers.links.ssh.lines import SshLineLink
from impairlab.drivers.links.ssh.shell import Manners, ShellLink

__all__ = [
    "SSH_PORT",
    "SSH_SETTINGS",
    "HostKey",
    "KnownKeys",
    "Login",
    "Manners",
    "ShellLink",
    "SshChannel",
    "SshConnection",
    "SshEndpoint",
    "SshLineLink",
    "Trust",
    "default_known_keys",
    "parse_ssh",
    "read_host_key",
    "trust_of",
]
