"""Route: the kernel's rtnetlink in one network namespace, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from .messages import Message, Request


class Route(Protocol):
    """What `socket.RouteSocket` offers, and an agent's side of one."""

    def change(self, requests: Sequence[Request]) -> None:
        """Have the kernel do all of these, in their order. Raises KernelRefused with the first that it refused."""

    def ask(self, request: Request) -> Iterator[Message]:
        """Yield what the kernel answers to one question. Raises KernelRefused."""
