"""Settings and strings: whatever is legal reads back as it was set, and comes out as the value of the model."""

import string
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impairlab.drivers.model import (
    BitErrorLoss,
    BurstLoss,
    Conditions,
    Corrupt,
    Delay,
    Duplicate,
    EcnMark,
    Filter,
    GilbertElliottLoss,
    LinkState,
    Mtu,
    Outage,
    PeriodicLoss,
    PfcPause,
    RandomLoss,
    RateLimit,
    Reorder,
)
from impairlab.drivers.model.units import format_time
from impairlab.sim_hardware.appliance.fields import ALL_FILTER_FIELDS, CONDITION_FIELDS
from impairlab.sim_hardware.scpi.header import short_form

EVERYTHING = (
    "DELay:MEAN 30 MS;DELay:SPRead 2500 US;DELay:DISTribution GAMMa;DELay:ORDer OFF;DELay:STATe ON;"
    "LOSS:MODel GELLiott;LOSS:GELLiott:TOBad 0.1 PCT;LOSS:GELLiott:TOGood 20 PCT;LOSS:GELLiott:LBAD 90 PCT;"
    "LOSS:GELLiott:LGOod 3 PPM;LOSS:STATe ON;REORder:RATE 1E-9;REORder:DEPTh 7;REORder:HOLD 1 MS;REORder:STATe ON;"
    "DUPLicate:RATE 0.5;DUPLicate:COPies 3;DUPLicate:STATe ON;CORRupt:RATE 0.25;CORRupt:BITS 5;CORRupt:STATe ON;"
    "RATE:LIMit 9.6 KBPS;RATE:MODE LINK;RATE:BURSt 1;RATE:QUEue 2;RATE:LAYer L1;RATE:STATe ON;"
    "LINK:MODE FLAP;LINK:DOWN 50 MS;LINK:PERiod 1 MIN;LINK:STATe ON;ECN:RATE 1;ECN:STATe ON;"
    "PFC:PRIorities 0,3,7;PFC:DURation 2 US;PFC:PERiod 3 US;PFC:STATe ON;MTU:SIZE 576;MTU:STATe ON"
)
EVERYTHING_MEANT = Conditions(
    delay=Delay(mean="30 ms", spread="2.5 ms", distribution="gamma", keep_order=False),
    loss=GilbertElliottLoss(to_bad="0.1 %", to_good="20 %", bad_loss="90 %", good_loss="3 ppm"),
    reorder=Reorder(rate="1 ppb", depth=7, hold="1 ms"),
    duplicate=Duplicate(rate="50 %", copies=3),
    corrupt=Corrupt(rate="25 %", bits=5),
    rate=RateLimit(rate="9.6 kbit/s", mode="link", burst="1 B", queue="2 B", layer="l1"),
    link=LinkState(state="flap", down="50 ms", period="1 min"),
    ecn=EcnMark(rate="100 %"),
    pfc=PfcPause(priorities=(0, 3, 7), duration="2 us", period="3 us"),
    mtu=Mtu(size="576 B"),
)


def test_every_impairment_at_once_is_what_the_model_says(talk, appliance):
    talk(f'PATH1:AB:COND "{EVERYTHING}";APPL')
    assert talk.code() == 0
    assert appliance.state.conditions("1", "a-b") == EVERYTHING_MEANT


def test_settings_one_by_one_are_the_same_as_the_string(talk, appliance):
    for unit in EVERYTHING.split(";"):
        talk(f"PATH1:BA:FLOW0:{unit}")
    assert talk("PATH1:BA:APPL;*OPC?;:SYST:ERR:CODE?") == "1;0"
    assert appliance.state.conditions("1", "b-a") == EVERYTHING_MEANT


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("LOSS:RAND:RATE 1E-9", RandomLoss(rate="1 ppb")),
        ("LOSS:MOD PER;LOSS:PER:EVER 1E9;LOSS:PER:BURS 12", PeriodicLoss(every=10**9, burst=12)),
        ("LOSS:MOD BURS;LOSS:BURS:RATE 2 PCT;LOSS:BURS:LENG 3.5", BurstLoss(rate="2 %", burst="3.5")),
        ("LOSS:MOD BER;LOSS:BER:RATE 1E-12", BitErrorLoss(ber=Decimal("1e-12"))),
        ("LOSS:MOD OUT", Outage()),
    ],
)
def test_loss_models(text, meant, talk, appliance):
    talk(f'PATH1:AB:COND "{text};LOSS:STAT 1";APPL')
    assert appliance.state.conditions("1", "a-b") == Conditions(loss=meant)


def test_switched_off_impairment_keeps_its_settings(talk, appliance):
    talk(f'PATH1:AB:COND "{EVERYTHING}";LOSS:STAT OFF;:PATH1:AB:APPL')
    assert appliance.state.conditions("1", "a-b") == EVERYTHING_MEANT.without("loss")
    talk("PATH1:AB:LOSS:STAT ON;:PATH1:AB:APPL")
    assert appliance.state.conditions("1", "a-b") == EVERYTHING_MEANT


steps_of_100_ns = st.integers(0, 10**8).map(lambda steps: steps * 100)
probabilities = st.integers(0, 10**9).map(lambda steps: Decimal(steps).scaleb(-9))


def delays():
    def build(mean, spread, distribution, keep_order, table):
        if distribution in {"uniform", "exponential"}:
            mean, spread = max(mean, spread), min(mean, spread)
        if distribution == "constant":
            spread = 0
        elif not spread or not mean:
            mean, spread = 10**6, 10**6
        return Delay(
            mean=format_time(mean),
            spread=format_time(spread),
            distribution=distribution,
            keep_order=keep_order,
            table=table if distribution == "table" else (),
        )

    shapes = st.sampled_from(["constant", "uniform", "normal", "pareto", "gamma", "exponential", "table"])
    entries = st.integers(-(10**9), 10**9).map(lambda steps: Decimal(steps).scaleb(-6))
    table = st.lists(entries, min_size=1, max_size=5).map(tuple)
    return st.builds(build, steps_of_100_ns, steps_of_100_ns, shapes, st.booleans(), table)


def losses():
    chain = st.builds(GilbertElliottLoss, to_bad=probabilities, to_good=probabilities, bad_loss=probabilities)
    periodic = st.builds(lambda burst, more: PeriodicLoss(every=burst + more, burst=burst),
                         st.integers(1, 10**6), st.integers(0, 10**6))  # fmt: skip
    return st.one_of(st.builds(RandomLoss, rate=probabilities), chain, periodic, st.just(Outage()))


CONDITIONS = st.builds(
    Conditions,
    delay=st.none() | delays(),
    loss=st.none() | losses(),
    corrupt=st.none() | st.builds(Corrupt, rate=probabilities, bits=st.integers(1, 64)),
    rate=st.none() | st.builds(RateLimit, rate=st.integers(1000, 10**11), queue=st.integers(0, 10**9)),
    mtu=st.none() | st.builds(Mtu, size=st.integers(68, 65535)),
)


def seconds(nanoseconds):
    return f"{Decimal(nanoseconds).scaleb(-9):f}"


def written(conditions):
    """Return the settings for `conditions`, written here by hand: a driver and its box share no table."""
    units = []
    if delay := conditions.delay:
        units += ["DEL:STAT 1", f"DEL:MEAN {seconds(delay.mean)}", f"DEL:SPR {delay.spread} NS"]
        units += [f"DEL:DIST {delay.distribution}", f"DEL:ORD {int(delay.keep_order)}"]
        if delay.table:
            units.append("DEL:TABL " + ",".join(f"{entry:f}" for entry in delay.table))
    match conditions.loss:
        case RandomLoss(rate=rate):
            units += ["LOSS:STAT 1", f"LOSS:RAND:RATE {rate}"]
        case PeriodicLoss(every=every, burst=burst):
            units += ["LOSS:STAT 1", "LOSS:MOD PER", f"LOSS:PER:EVER {every}", f"LOSS:PER:BURS {burst}"]
        case GilbertElliottLoss(to_bad=bad, to_good=good, bad_loss=lost):
            units += ["LOSS:STAT 1", "LOSS:MOD GELL", f"LOSS:GELL:TOB {bad}", f"LOSS:GELL:TOG {good}"]
            units.append(f"LOSS:GELL:LBAD {lost}")
        case Outage():
            units += ["LOSS:STAT 1", "LOSS:MOD OUT"]
    if corrupt := conditions.corrupt:
        units += ["CORR:STAT 1", f"CORR:RATE {100 * corrupt.rate} PCT", f"CORR:BITS {corrupt.bits}"]
    if rate := conditions.rate:
        units += ["RATE:STAT 1", f"RATE:LIM {rate.rate} BPS", f"RATE:QUE #H{rate.queue:X}"]
    if mtu := conditions.mtu:
        units += ["MTU:STAT 1", f"MTU:SIZE {mtu.size}"]
    return ";".join(units)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(conditions=CONDITIONS)
def test_any_conditions_are_programmed_and_read_back_exactly(conditions, talk, appliance):
    answer = talk(f'PATH3:AB:COND "{written(conditions)}";APPL;COND?;:SYST:ERR?')
    assert answer.endswith(';0,"No error"')
    assert appliance.state.conditions("3", "a-b") == conditions
    shown = answer.removesuffix(';0,"No error"')
    assert talk(f"PATH4:BA:COND {shown};APPL;COND?") == shown
    assert appliance.state.conditions("4", "b-a") == conditions


legal = st.text(string.ascii_letters + string.digits + " ;:,.'#@-+", max_size=60)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=legal | st.lists(st.sampled_from(EVERYTHING.split(";")) | legal, max_size=4).map(";".join))
def test_string_in_error_stages_nothing(text, talk, appliance):
    talk('*CLS;:PATH1:AB:COND "MTU:SIZE 4321;MTU:STAT 1"')
    staged = talk("PATH1:AB:COND:STAG?")
    talk(f'PATH1:AB:COND "{text}"')
    if talk.code():
        assert talk("PATH1:AB:COND:STAG?") == staged
    else:
        assert talk("PATH1:AB:COND:STAG?") != staged


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DEL:MEAN?", -224),
        ("FILT:VLAN 3", -113),
        ("APPL", -113),
        ("*RST", -102),
        ("DEL:MEAN", -109),
        ("DEL:MEAN 1,2", -108),
        ("DEL:MEAN 1 BPS", -131),
        ("MTU:SIZE 1500 BPS", -138),
        ("DEL:MEAN soon", -224),
        ("DEL:TABL 1,1001", -222),
        ("LOSS:MOD FLOOD", -224),
        ("DEL:MEAN 'x", -151),
    ],
)
def test_errors_in_a_string(text, code, talk):
    talk(f'PATH1:AB:COND "MTU:STAT 1;{text}"')
    assert talk("SYST:ERR:CODE?;:PATH1:AB:COND:STAG?") == f'{code};""'


def test_up_and_down_count_from_the_active_value(talk):
    talk("PATH1:AB:DEL:MEAN 1;:APPL;:PATH1:AB:DEL:MEAN UP;:APPL")
    assert talk("PATH1:AB:DEL:MEAN?") == "1.0000001"
    talk("PATH1:AB:MTU:SIZE DOWN;:APPL")
    assert talk("PATH1:AB:MTU:SIZE?") == "1499"


def test_filter_is_what_the_model_says(talk, appliance):
    talk(
        "PATH1:BA:FLOW8:FILT:DEF \"STATe ON;VLAN 4095;DSCP 63;PROTocol TCP;SOURce:ADDRess '10.0.0.0/8';"
        "SOURce:PORT 1;DESTination:ADDRess '2001:db8::/32';DESTination:PORT 65535\";:APPL"
    )
    (entry,) = appliance.state.entries
    assert entry.filter == Filter(
        vlan=4095, dscp=63, protocol="tcp", source="10.0.0.0/8", source_port=1,
        destination="2001:db8::/32", destination_port=65535,
    )  # fmt: skip


@pytest.mark.parametrize("address", ["10.1.2.3/8", "10.0.0.256", "example.org", ""])
def test_address_that_is_none(address, talk):
    talk(f'PATH1:AB:FLOW1:FILT:SOUR:ADDR "{address}"')
    assert talk.code() == -224


def test_every_setting_can_be_sent_back_as_it_is_answered(talk):
    for base, fields in (("PATH1:AB:FLOW1", CONDITION_FIELDS), ("PATH1:AB:FLOW1", ALL_FILTER_FIELDS)):
        for field in fields:
            header = base + short_form(field.header)
            answer = talk(f"{header}?")
            if answer != "9.91E+37":
                talk(f"{header} {answer};:APPL")
                assert (header, talk(f"{header}?"), talk.code()) == (header, answer, 0)
