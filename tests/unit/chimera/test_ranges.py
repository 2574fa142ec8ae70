"""What is legal, and what is clamped: ranges and the rules of the reference for mean and deviation."""

import pytest

from .conftest import Terminal

EDGES = [
    ("PED_FIXED [0,0] {}", 0, 1_000_000),
    ("PED_RANDOM [0,0] {}", 0, 1_000_000),
    ("PED_BER [0,0] {} -10", 1, 9),
    ("PED_BER [0,0] 1 {}", -18, -1),
    ("PED_FIXEDBURST [0,0] {}", 1, 16_383),
    ("PED_RANDOMBURST [0,0] 0 {} 10", 0, 65_535),
    ("PED_GE [0,0] {} 1 1 1", 0, 1_000_000),
    ("PED_UNI [0,0] 0 {}", 0, 4_194_288),
    ("PED_GAUSS [0,0] {} 0", 0, 4_194_288),
    ("PED_SCHEDULE [0,0] {} 0", 1, 65_535),
    ("PED_SCHEDULE [0,0] 1 {}", 0, 65_535),
    ("PE_MISORDER [0] {}", 1, 32),
    ("PE_BANDPOLICER [0] OFF L2 {} 0", 0, 1_000_000),
    ("PE_BANDPOLICER [0] OFF L2 0 {}", 0, 4_194_304),
    ("PE_BANDSHAPER [0] OFF L2 0 0 {}", 0, 2_097_152),
    ("PP_LINKFLAP_PARAMS {} 50000 0", 0, 1000),
    ("PP_LINKFLAP_PARAMS 1 {} 0", 10, 50_000),
    ("PP_PMAERRPUL_PARAMS {} 50000 0 100 -4", 0, 5000),
    ("PEF_VLANPCP [1,0,1] ON {} 0x07", 0, 7),
    ("PEF_ANYCONFIG [1,0] {} 0x000000000000 0xFFFFFFFFFFFF", 0, 127),
    ("PEF_TPLDCONFIG [1,0,15] ON {}", 0, 2015),
    ("PEF_UDPDESTPORT [1,0] ON {} 0xFFFF", 0, 65_535),
]


@pytest.mark.parametrize(("line", "low", "high"), EDGES, ids=[line for line, _, _ in EDGES])
def test_the_ends_of_a_range_are_legal_and_nothing_beyond(terminal: Terminal, line: str, low: int, high: int) -> None:
    step = 10 if "PARAMS 1 {}" in line else 1
    terminal.ok(*(f"0/0 {line.format(value)}" for value in (low, high)))
    for value in (low - step, high + step):
        assert terminal.ask(f"0/0 {line.format(value)}") == "<BADVALUE>", value


LEGAL = [
    "PED_GAUSS [0,0] 300 100",
    "PED_GAUSS [0,2] 300000 100000",
    "PED_GAUSS [0,2] 700000000 100000000",
    "PED_POISSON [0,0] 4188000",
    "PED_GAMMA [0,0] 1 800000",
    "PED_GAMMA [0,2] 1 200000000",
    "PED_STEP [0,2] 0 1000000000",
]
BEYOND = [
    "PED_GAUSS [0,0] 299 100",
    "PED_GAUSS [0,0] 4194000 100",
    "PED_GAUSS [0,2] 299900 100000",
    "PED_GAUSS [0,2] 700000100 100000000",
    "PED_POISSON [0,0] 4194288",
    "PED_GAMMA [0,0] 1 900000",
    "PED_GAMMA [0,2] 1 200000100",
    "PED_UNI [0,0] 5 4",
    "PED_STEP [0,2] 200 100",
    "PED_STEP [0,2] 0 1000000100",
    "PED_RANDOMBURST [0,0] 5 4 10",
]


@pytest.mark.parametrize("line", LEGAL)
def test_means_with_their_deviations_that_stay_in_range(terminal: Terminal, line: str) -> None:
    terminal.ok(f"0/0 {line}")


@pytest.mark.parametrize("line", BEYOND)
def test_means_with_their_deviations_that_leave_it(terminal: Terminal, line: str) -> None:
    assert terminal.ask(f"0/0 {line}") == "<BADVALUE>"


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("PED_CONST [0,2] 2000000000", "PED_CONST  [0,2]  1000000000"),
        ("PED_ACCBURST [0,2] 2000000000", "PED_ACCBURST  [0,2]  1000000000"),
        ("PED_UNI [0,2] 100 2000000000", "PED_UNI  [0,2]  100 1000000000"),
    ],
)
def test_a_latency_out_of_range_is_clamped_without_a_word(terminal: Terminal, line: str, read: str) -> None:
    name = line.split(maxsplit=1)[0]
    terminal.ok(f"0/0 {line}")
    assert terminal.ask(f"0/0 {name} [0,2] ?") == f"0/0  {read}"


@pytest.mark.parametrize(
    "line",
    ["PED_CONST [0,0] 100", "PED_STEP [0,3] 0 100", "PED_ACCBURST [0,1] 100", "PED_RANDOM [0,1] 10",
     "PED_RANDOM [0,2] 10", "PED_GE [0,2] 1 1 1 1", "PED_FIXEDBURST [0,2] 1", "PED_UNI [0,1] 1 2"],
)  # fmt: skip
def test_a_distribution_that_an_impairment_has_not_got(terminal: Terminal, line: str) -> None:
    assert terminal.ask(f"0/0 {line}") == "<NOTVALID>"


def test_the_share_of_misordered_packets_is_limited_by_their_depth(terminal: Terminal) -> None:
    terminal.ok("0/0 PE_MISORDER [0] 4")
    assert terminal.ask("0/0 PED_FIXED [0,1] 200000") == "<BADVALUE>"
    terminal.ok("0/0 PED_FIXED [0,1] 199999")
    assert terminal.ask("0/0 PE_MISORDER [0] 5") == "<BADVALUE>"
    terminal.ok("0/0 PE_MISORDER [0] 3")


def test_of_latencies_only_accumulate_and_burst_is_scheduled(terminal: Terminal) -> None:
    terminal.ok("0/0 PED_CONST [0,2] 100")
    assert terminal.ask("0/0 PED_SCHEDULE [0,2] 1 5") == "<NOTVALID>"
    terminal.ok("0/0 PED_ACCBURST [0,2] 100", "0/0 PED_SCHEDULE [0,2] 1 5", "0/0 PED_CONST [0,2] 100")
    assert terminal.ask("0/0 PED_SCHEDULE [0,2] ?") == "0/0  PED_SCHEDULE  [0,2]  1 0"


def test_a_period_is_no_shorter_than_what_is_on_in_it(terminal: Terminal) -> None:
    assert terminal.ask("0/0 PED_SCHEDULE [0,0] 6 5") == "<BADVALUE>"


def test_what_is_off_cannot_be_enabled(terminal: Terminal) -> None:
    assert terminal.ask("0/0 PED_ENABLE [0,0] ON") == "<NOTVALID>"
    terminal.ok("0/0 PED_ENABLE [0,0] OFF")
    assert terminal.ask("0/0 PED_ONESHOTSTATUS [0,0] ?") == "<NOTVALID>"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("PEC_VAL [1] OFF OFF 512 1 2 3", "<BADSIZE>"),
        ("PEC_VAL [1] OFF OFF 3 1 2 3", "<BADSIZE>"),
        ("PEC_VAL [41] OFF OFF 512", "<BADINDEX>"),
        (f"PEC_VAL [1] OFF ON 512 {' '.join(['1'] * 512)}", "<BADVALUE>"),
        ("PEC_VAL [7] ?", "<BADINDEX>"),
        ("PEC_DELETE [7]", "<BADINDEX>"),
        ("PED_CUST [0,0] 7", "<BADVALUE>"),
    ],
)
def test_custom_distributions_that_are_wrong(terminal: Terminal, line: str, answer: str) -> None:
    assert terminal.ask(f"0/0 {line}") == answer


def test_a_custom_distribution_fits_what_it_is_used_for(terminal: Terminal) -> None:
    terminal.ok("0/0 PEC_INDICES 1 2", f"0/0 PEC_VAL [2] OFF OFF 1024 {' '.join(['1000000100'] * 1024)}")
    assert terminal.ask("0/0 PED_CUST [0,2] 1") == "<BADVALUE>"
    assert terminal.ask("0/0 PED_CUST [0,2] 2") == "<BADVALUE>"
    terminal.ok("0/0 PED_CUST [0,0] 1")
    assert terminal.ask("0/0 PEC_INDICES 2") == "<NOTVALID>"
    assert terminal.ask(f"0/0 PEC_VAL [1] OFF OFF 512 {' '.join(['4194289'] * 512)}") == "<BADVALUE>"
    terminal.ok('0/0 PEC_COMMENT [1] "dips"', "0/0 PED_OFF [0,0]", "0/0 PEC_INDICES 2")
    assert terminal.ask("0/0 PEC_INDICES ?") == "0/0  PEC_INDICES  2"
