"""Selection: which packets an entry of the list impairs, and its words."""

from __future__ import annotations

import re
from typing import Self

from pydantic import IPvAnyAddress, model_validator

from impairlab.drivers.links.scpi_response import quote, unquote
from impairlab.drivers.model.flows import Port
from impairlab.drivers.model.frozen import Frozen


class Selection(Frozen):
    """Packets of one IP address within a range of ports. Whether source or destination is meant is said nowhere.

    Attributes:
        address: IP address.
        first_port: Least port.
        last_port: Greatest port.
    """

    address: IPvAnyAddress
    first_port: Port
    last_port: Port

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.last_port < self.first_port:
            raise ValueError("last_port must not be below first_port")
        return self


def selection_words(selection: Selection) -> tuple[str, str]:
    """Return what IPADdress and PRANge take."""
    return quote(str(selection.address)), f"{selection.first_port},{selection.last_port}"


def read_selection(address: str, ports: str) -> Selection:
    """Read what IPADdress? and PRANge? answer. Raises ValueError."""
    found = re.fullmatch(r"\s*\+?(\d+)\s*,\s*\+?(\d+)\s*", ports)
    if found is None:
        raise ValueError(f"{ports!r} is not a range of ports")
    text = unquote(address)
    return Selection.model_validate({"address": text, "first_port": int(found[1]), "last_port": int(found[2])})
