"""From the settings of a flow to the values of the model, which know what fits together."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import ValidationError

from impairlab.drivers.model import Conditions, Filter, FlowEntry, Target
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.appliance import fields as f
from impairlab.sim_hardware.appliance.settings import Field, FlowSettings
from impairlab.sim_hardware.scpi import ScpiError

_NANOSECONDS = 10**9


def entry_of(target: Target, settings: FlowSettings) -> FlowEntry | None:
    """Return what `settings` program on `target`; None for a flow that is not in use.

    Raises:
        ScpiError: -221 when the settings do not fit together.
    """
    try:
        chosen = Conditions.model_validate(_impairments(settings))
        if not target.flow:
            return None if chosen.is_neutral else FlowEntry(target=target, conditions=chosen)
        if not settings.get(f.FILTER_STATE):
            return None
        return FlowEntry(target=target, filter=Filter.model_validate(_filter(settings)), conditions=chosen)
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ScpiError(-221, f"{target}: {reason}") from error


def _impairments(settings: FlowSettings) -> Mapping[str, object]:
    makers = {
        f.DELAY_STATE: _delay, f.LOSS_STATE: _loss, f.REORDER_STATE: _reorder, f.DUPLICATE_STATE: _duplicate,
        f.CORRUPT_STATE: _corrupt, f.RATE_STATE: _rate, f.LINK_STATE: _link, f.ECN_STATE: _ecn,
        f.PFC_STATE: _pfc, f.MTU_STATE: _mtu,
    }  # fmt: skip
    return {switch.option: make(settings) for switch, make in makers.items() if settings.get(switch)}


def _time(settings: FlowSettings, field: Field[Decimal]) -> str:
    return format_time(int(settings.get(field) * _NANOSECONDS))


def _whole(settings: FlowSettings, field: Field[Decimal]) -> int:
    return int(settings.get(field))


def _delay(settings: FlowSettings) -> Mapping[str, object]:
    distribution = settings.get(f.DELAY_DISTRIBUTION)
    return {
        "mean": _time(settings, f.DELAY_MEAN),
        "spread": _time(settings, f.DELAY_SPREAD),
        "distribution": distribution,
        "keep_order": settings.get(f.DELAY_ORDER),
        "table": settings.get(f.DELAY_TABLE) if distribution == "table" else (),
    }


def _loss(settings: FlowSettings) -> Mapping[str, object]:
    match settings.get(f.LOSS_MODEL):
        case "periodic":
            return {
                "model": "periodic",
                "every": _whole(settings, f.LOSS_PERIOD),
                "burst": _whole(settings, f.LOSS_PERIOD_BURST),
            }
        case "burst":
            rate, length = settings.get(f.LOSS_BURST_RATE), settings.get(f.LOSS_BURST_LENGTH)
            return {"model": "burst", "rate": rate, "burst": length}
        case "gelliott":
            return {
                "model": "gilbert-elliott",
                "to_bad": settings.get(f.LOSS_TO_BAD),
                "to_good": settings.get(f.LOSS_TO_GOOD),
                "bad_loss": settings.get(f.LOSS_IN_BAD),
                "good_loss": settings.get(f.LOSS_IN_GOOD),
            }
        case "ber":
            return {"model": "bit-error", "ber": settings.get(f.LOSS_BIT_ERRORS)}
        case "outage":
            return {"model": "outage"}
        case _:
            return {"model": "random", "rate": settings.get(f.LOSS_RATE)}


def _reorder(settings: FlowSettings) -> Mapping[str, object]:
    return {
        "rate": settings.get(f.REORDER_RATE),
        "depth": _whole(settings, f.REORDER_DEPTH),
        "hold": _time(settings, f.REORDER_HOLD),
    }


def _duplicate(settings: FlowSettings) -> Mapping[str, object]:
    return {"rate": settings.get(f.DUPLICATE_RATE), "copies": _whole(settings, f.DUPLICATE_COPIES)}


def _corrupt(settings: FlowSettings) -> Mapping[str, object]:
    return {"rate": settings.get(f.CORRUPT_RATE), "bits": _whole(settings, f.CORRUPT_BITS)}


def _rate(settings: FlowSettings) -> Mapping[str, object]:
    return {
        "rate": _whole(settings, f.RATE_LIMIT),
        "mode": settings.get(f.RATE_MODE),
        "burst": _whole(settings, f.RATE_BURST),
        "queue": _whole(settings, f.RATE_QUEUE),
        "layer": settings.get(f.RATE_LAYER),
    }


def _link(settings: FlowSettings) -> Mapping[str, object]:
    mode = settings.get(f.LINK_MODE)
    if mode != "flap":
        return {"state": mode}
    return {"state": mode, "down": _time(settings, f.LINK_DOWN), "period": _time(settings, f.LINK_PERIOD)}


def _ecn(settings: FlowSettings) -> Mapping[str, object]:
    return {"rate": settings.get(f.ECN_RATE)}


def _pfc(settings: FlowSettings) -> Mapping[str, object]:
    priorities = settings.get(f.PFC_PRIORITIES)
    return {
        "priorities": tuple(map(int, priorities)),
        "duration": _time(settings, f.PFC_DURATION),
        "period": _time(settings, f.PFC_PERIOD),
    }


def _mtu(settings: FlowSettings) -> Mapping[str, object]:
    return {"size": _whole(settings, f.MTU_SIZE)}


def _filter(settings: FlowSettings) -> Mapping[str, object]:
    protocol = settings.get(f.FILTER_PROTOCOL)
    return {
        "vlan": settings.get(f.FILTER_VLAN),
        "dscp": settings.get(f.FILTER_DSCP),
        "protocol": None if protocol == "any" else protocol,
        "source": settings.get(f.FILTER_SOURCE),
        "source_port": settings.get(f.FILTER_SOURCE_PORT),
        "destination": settings.get(f.FILTER_DESTINATION),
        "destination_port": settings.get(f.FILTER_DESTINATION_PORT),
    }
