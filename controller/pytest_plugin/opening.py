"""The session's rack, opened when a test first asks for it: it costs half a second that other tests do not pay."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from impairlab.controller.pytest_plugin.session import RackSession

_KEY = pytest.StashKey["RackSession"]()


def session_of(config: pytest.Config) -> RackSession:
    """Return what tests share; see `RackSession`."""
    found = config.stash.get(_KEY, None)
    if found is None:
        opened: type[RackSession] = import_module("impairlab.controller.pytest_plugin.session").RackSession
        found = config.stash[_KEY] = opened(config)
    return found


def close_session(config: pytest.Config) -> None:
    """Close it if it was opened."""
    found = config.stash.get(_KEY, None)
    if found is not None:
        del config.stash[_KEY]
        found.close()
