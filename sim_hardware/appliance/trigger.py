"""The trigger model: INITiate, then the arm layer, then the trigger layer, then what the trigger does.

Source: SCPI-1999 volume 1, 7 and volume 2, 24 (TRIGger); docs/reference/scpi.md, "Trigger".
"""

from collections.abc import Callable
from enum import Enum

from impairlab.sim_hardware.scpi import ScpiError


class Layer(Enum):
    """Where the trigger model stands."""

    IDLE = "idle"
    ARM = "waiting for arm"
    TRIGGER = "waiting for trigger"


class TriggerModel:
    """Leads from INITiate to an action, past the events that the two layers wait for.

    Args:
        check: Called by INITiate. Raises `ScpiError` where the action could not succeed as things are.
        act: The action. When it raises, the model stays where it is.

    Attributes:
        arm_source: `immediate`, or `bus`: the arm layer waits for ARM or *TRG.
        trigger_source: `immediate`, or `bus`: the trigger layer waits for TRIGger or *TRG.
        continuous: Whether it goes back to the arm layer after the action, if anything is waited for at all.
        layer: Where it stands.
    """

    def __init__(self, check: Callable[[], None], act: Callable[[], None]) -> None:
        self._check = check
        self._act = act
        self.reset()

    def reset(self) -> None:
        """Be idle, with every setting at its default."""
        self.arm_source = "immediate"
        self.trigger_source = "immediate"
        self.continuous = False
        self.layer = Layer.IDLE

    def initiate(self) -> None:
        """Leave the idle state. Raises -213 when it is left already, and what the check or the action raises."""
        if self.layer is not Layer.IDLE:
            raise ScpiError(-213)
        self._check()
        self._enter_arm_layer()

    def arm(self) -> None:
        """Go on to the trigger layer. Raises -212 while no arm is waited for."""
        if self.layer is not Layer.ARM:
            raise ScpiError(-212)
        self._enter_trigger_layer()

    def trigger(self) -> None:
        """Go on to the action. Raises -211 while no trigger is waited for."""
        if self.layer is not Layer.TRIGGER:
            raise ScpiError(-211)
        self._run()

    def bus_event(self) -> None:
        """*TRG or group execute trigger: what is waited for. Raises -211 where that is nothing."""
        if self.layer is Layer.ARM:
            self.arm()
        else:
            self.trigger()

    def abort(self) -> None:
        """Be idle; settings stay."""
        self.layer = Layer.IDLE

    def _enter_arm_layer(self) -> None:
        if self.arm_source == "immediate":
            self._enter_trigger_layer()
        else:
            self.layer = Layer.ARM

    def _enter_trigger_layer(self) -> None:
        if self.trigger_source == "immediate":
            self._run()
        else:
            self.layer = Layer.TRIGGER

    def _run(self) -> None:
        self._act()
        self.layer = Layer.IDLE
        if self.continuous and "bus" in {self.arm_source, self.trigger_source}:
            self._enter_arm_layer()
