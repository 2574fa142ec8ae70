"""SSH in front of conversations: a host key, who may log in, and interactive shells in channels."""

from impairlab.sim_hardware.transports.ssh.gate import SshGate
from impairlab.sim_hardware.transports.ssh.house_keys import fingerprint, new_host_key, read_public_key
from impairlab.sim_hardware.transports.ssh.terminal import LineEditor, Typed

__all__ = ["LineEditor", "SshGate", "Typed", "fingerprint", "new_host_key", "read_public_key"]
