"""What a declared instrument understands without further work, and how it refuses the rest."""

from collections.abc import Callable

import pytest

Ask = Callable[[str], str]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("LAMP:LEV?", "0.5"),
        ("LAMP2:LEV 25 PCT;LEV?;:LAMP1:LEV?", "0.25;0.5"),
        ("sour:lamp2:level:imm 0.75;IMM?", "0.75"),
        ("LAMP:LEV? MAX", "1"),
        ("LAMP:LEV MIN;LEV?", "0"),
        ("LAMP:LEV 0.12349;LEV?", "0.123"),
        ("LAMP:LEV UP;LEV?", "0.501"),
        ("LAMP:COL DAYL;COL?", "DAYL"),
        ("LAMP:HOUR?", "12"),
        ("*IDN?", "impairlab,Lamp,L1,1.0"),
        ("SYST:VERS?;ERR?;VERS?", '1999.0;0,"No error";1999.0'),
    ],
)
def test_the_lamp_understands(ask: Ask, message: str, answer: str) -> None:
    assert ask(message) == answer
    assert ask("SYST:ERR?") == '0,"No error"'


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("LAMP3:LEV 1", -114),
        ("LAMP:LEV2 1", -114),
        ("LAMP:LEVE 1", -113),
        ("LAMP:LEV", -109),
        ("LAMP:LEV 0.1,0.2", -108),
        ("LAMP:LEV 0.1 V", -131),
        ("LAMP:LEV 2", -222),
        ("LAMP:LEV 'a'", -104),
        ("LAMP:COL RED", -224),
        ("LAMP:COL DAYL;LEV 1", -221),
        ("LAMP:FLAS 3 S", -138),
        ("LAMP:FLAS? 3", -113),
        ("LAMPLIGHTFIXTURE:LEV 1", -112),
        ("LAMP:LEV(1)", -111),
        ("*SAV 1", -113),
    ],
)
def test_the_lamp_refuses(ask: Ask, message: str, error: int) -> None:
    assert ask(message) == ""
    assert ask("SYST:ERR:CODE?;COUN?") == f"{error};0"
    assert ask("LAMP:LEV?") == "0.5"
