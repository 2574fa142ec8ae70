"""The trigger model: which event leads where, and what is refused."""

import pytest

from impairlab.sim_hardware.appliance.trigger import Layer, TriggerModel
from impairlab.sim_hardware.scpi import ScpiError


class Acts:
    """Counts, and refuses on demand."""

    def __init__(self) -> None:
        self.count = 0
        self.refusal = None

    def __call__(self) -> None:
        if self.refusal:
            raise self.refusal
        self.count += 1


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def model(acts: Acts) -> TriggerModel:
    return TriggerModel(lambda: None, acts)


def code_of(call) -> int:
    with pytest.raises(ScpiError) as raised:
        call()
    return raised.value.code


def test_immediate_layers_are_passed_at_once_and_never_go_round(model: TriggerModel, acts: Acts) -> None:
    model.continuous = True
    model.initiate()
    assert (acts.count, model.layer) == (1, Layer.IDLE)


@pytest.mark.parametrize("continuous", [False, True])
def test_each_layer_waits_for_its_event(model: TriggerModel, acts: Acts, continuous: bool) -> None:
    model.arm_source = model.trigger_source = "bus"
    model.continuous = continuous
    model.initiate()
    assert model.layer is Layer.ARM
    assert code_of(model.trigger) == -211
    model.arm()
    assert model.layer is Layer.TRIGGER
    assert code_of(model.arm) == -212
    assert code_of(model.initiate) == -213
    assert acts.count == 0
    model.trigger()
    assert (acts.count, model.layer) == (1, Layer.ARM if continuous else Layer.IDLE)


def test_bus_event_is_for_whoever_waits(model: TriggerModel, acts: Acts) -> None:
    assert code_of(model.bus_event) == -211
    model.arm_source = model.trigger_source = "bus"
    model.initiate()
    model.bus_event()
    assert (acts.count, model.layer) == (0, Layer.TRIGGER)
    model.bus_event()
    assert (acts.count, model.layer) == (1, Layer.IDLE)


def test_armed_continuously_with_an_immediate_trigger_acts_once_an_arm(model: TriggerModel, acts: Acts) -> None:
    model.arm_source, model.continuous = "bus", True
    model.initiate()
    for count in (1, 2, 3):
        model.arm()
        assert (acts.count, model.layer) == (count, Layer.ARM)


def test_action_that_is_refused_leaves_the_model_where_it_is(model: TriggerModel, acts: Acts) -> None:
    model.arm_source = "bus"
    model.initiate()
    acts.refusal = ScpiError(-221)
    assert code_of(model.arm) == -221
    assert model.layer is Layer.ARM
    acts.refusal = None
    model.arm()
    assert acts.count == 1


def test_abort_is_idle_and_keeps_settings(model: TriggerModel, acts: Acts) -> None:
    model.arm_source = "bus"
    model.initiate()
    model.abort()
    assert (model.layer, model.arm_source, acts.count) == (Layer.IDLE, "bus", 0)
    model.abort()


def test_source_made_immediate_while_waiting_does_not_go_round_for_ever(model: TriggerModel, acts: Acts) -> None:
    model.trigger_source, model.continuous = "bus", True
    model.initiate()
    model.trigger_source = "immediate"
    model.trigger()
    assert (acts.count, model.layer) == (1, Layer.IDLE)
