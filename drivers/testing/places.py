"""Places: where conditions can be tried: on everything else if that is legal, else on a filtered flow."""

from __future__ import annotations

from impairlab.drivers.appliance import Appliance
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.flows import Target
from impairlab.drivers.testing.examples import FILTERS


class Places:
    """The two flows of the first path, direction a-b, that conditions are tried on."""

    def __init__(self, box: Appliance) -> None:
        self._box = box
        self.everything = Target(path=box.paths[0], direction="a-b")
        self._filtered = self.everything.model_copy(update={"flow": 1 if box.capabilities.flows else 0})

    def of(self, conditions: Conditions) -> Target:
        """Return where conditions are legal, values between steps included; flow 1 where they are nowhere."""
        illegal = self._box.check({self.everything: conditions}, "nearest")
        return self._filtered if illegal else self.everything

    def allow(self, conditions: Conditions) -> bool:
        """Whether conditions are legal somewhere, and on the appliance's steps."""
        return not self._box.check({self.of(conditions): conditions})

    def prepare(self, target: Target) -> None:
        """Give a flow that has no filter one that the appliance can match on."""
        if target.flow and self._box.read(target).filter is None:
            fields = self._box.capabilities.filter_fields
            self._box.set_filter(target, next(f for f in FILTERS if set(f.model_dump(exclude_none=True)) <= fields))
