"""Every kind of fault in a user's file is one line with file, line, column, key path and what would be legal."""

# ruff: noqa: E501 - a table of texts and the lines they cause reads best unbroken

import json
import re
from pathlib import Path

import pytest

from impairlab.controller.plan.located import Reading
from impairlab.controller.plan.rack import Rack
from impairlab.controller.plan.scenario_file import parse_scenario, read_scenario
from impairlab.controller.plan.yaml import parse_yaml, read_yaml
from impairlab.drivers.model.conditions import Conditions
from impairlab.drivers.model.errors import FileError

LINE = re.compile(r"[^:]+:\d+:\d+( \S.*)?: .+")

CONDITIONS = [
    ("delay: 40", "1:8 delay: 40 has no unit; legal: write it like '45 ms'"),
    ("delay: {mean: 5 ms, jitter: 8}", "1:29 delay.jitter: 8 has no unit; legal: write it like '45 ms'"),
    ("delay: {mean: 7 parsec}", "1:15 delay.mean: unknown unit 'parsec' in '7 parsec'; legal: a time takes ns, us, ms, s"),
    ("delay: -5 ms", "1:8 delay: '-5 ms' does not fit; legal: greater than or equal to 0"),
    ("dealy: 4 ms", "1:1 dealy: unknown key 'dealy', did you mean 'delay'?; legal: corrupt, delay, duplicate"),
    ("loss: {rate: 1 %, brust: 4}", "1:19 loss.brust: unknown key 'brust', did you mean 'burst'?; legal: bad_loss"),
    ("loss: {burst: 4}", "1:7 loss.rate: missing; legal: like '0.3 %'"),
    ("loss: 101 %", "1:7 loss: '101 %' is outside 0 % .. 100 %; legal: like '0.3 %'"),
    ("loss: {rate: 90 %, burst: 4}", "1:7 loss: bursts of 4 packets on average cannot lose 80 % or more"),
    ("loss: {model: foo}", "1:15 loss.model: 'foo' is not one of the choices; legal: random, periodic, burst"),
    ("loss: {}", "1:7 loss: a mapping does not say which kind it is; legal: model one of"),
    ("delay: {mean: 5 ms, distribution: nromal}", "1:35 delay.distribution: 'nromal' is not one of the choices; legal: constant"),
    ("link: dwon", "1:7 link: 'dwon' is not one of the choices; legal: up, down, flap"),
    ("delay: {mean: 1 s, schedule: {on_packets: 0}}", "1:43 delay.schedule.on_packets: 0 does not fit; legal: greater"),
    ("duplicate: {copies: 2}", "1:12 duplicate: a rate is required, or a pattern in its place"),
    ("corrupt: {pattern: {model: evn}}", "1:28 corrupt.pattern.model: 'evn' is not one of the choices; legal: even"),
    ("reorder: {rate: 1 %, depth: -1}", "1:29 reorder.depth: -1 does not fit; legal: greater than or equal to 0"),
    ("rate: {rate: 0 bit/s}", "1:14 rate.rate: '0 bit/s' does not fit; legal: greater than 0"),
    ("delay: []", "1:8 delay: a list does not fit; legal: a mapping"),
    ("pfc: {priorities: [1, 9], duration: 1 ms, period: 2 ms}", "1:23 pfc.priorities[1]: 9 does not fit; legal: less than"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), CONDITIONS)
def test_a_fault_in_conditions_says_where_and_what_is_legal(text: str, line: str) -> None:
    reading = Reading(parse_yaml(text, "f.yaml"))
    assert reading.value((), Conditions) is None
    with pytest.raises(FileError) as caught:
        reading.finish()
    assert caught.value.faults[0].startswith(f"f.yaml:{line}")
    assert len(caught.value.faults) == 1


HEAD = "scenario: s\nneeds: {wan: []}\n"
SCENARIOS = [
    ("needs: {wan: [delay.nromal]}\nphases: [b: {for: 1 s}]", "1:1 scenario: missing; legal: letters"),
    ("scenario: a b\nphases: [b: {for: 1 s}]", "1:11 scenario: 'a b' is not a name; legal: letters"),
    (HEAD + "titel: x\nphases: [b: {for: 1 s}]", "3:1 titel: unknown key 'titel', did you mean 'title'?; legal: needs"),
    ("scenario: s\nneeds: {wan: [delay.nromal]}\nphases: [b: {for: 1 s}]",
     "2:15 needs.wan[0]: unknown feature 'delay.nromal', did you mean 'delay.normal'?; legal: corrupt"),
    ("scenario: s\nneeds: {wan: delay}\nphases: [b: {for: 1 s}]", "2:14 needs.wan: not a list; legal: a list of features"),
    (HEAD + "traffic: {c: {url: '${S}', rate: 1 req/s}}\nphases: [b: {for: 1 s}]",
     "3:20 traffic.c.url: the environment variable S is not set; legal: set it: export S=..."),
    (HEAD + "traffic: {c: {url: 'ftp://x', rate: 1 req/s}}\nphases: [b: {for: 1 s}]",
     "3:20 traffic.c.url: 'ftp://x' is not a service address; legal: http://host:port"),
    (HEAD + "traffic: {c: {url: 'http://x', rate: 1 req/s, prompt: 5}}\nphases: [b: {for: 1 s}]",
     "3:55 traffic.c.prompt: 5 has no unit; legal: write it like '512 tok'"),
    (HEAD + "phases: []", "3:9 phases: not a list of phases; legal: a list"),
    (HEAD, "1:1 phases: missing; legal: a list"),
    (HEAD + "phases: [b: {for: 20}]", "3:19 phases[0].b.for: 20 has no unit; legal: write it like '20 s'"),
    (HEAD + "phases: [b: {}]", "3:13 phases[0].b.for: missing; legal: like '20 s'"),
    (HEAD + "phases: [b: {for: 0 s}]", "3:19 phases[0].b.for: '0 s' is too short; legal: more than 0 s"),
    (HEAD + "phases: [b: {for: 1 s}, b: {for: 1 s}]", "3:25 phases[1].b: a second phase 'b'; legal: names that differ"),
    (HEAD + "phases: [b: {for: 1 s, wann: {}}]",
     "3:24 phases[0].b.wann: unknown role or key 'wann', did you mean 'wan'?; legal: anchor, at ..., every ..., for, wan"),
    (HEAD + "phases: [b: {for: 1 s, wan: {ba: {}}}]",
     "3:30 phases[0].b.wan.ba: unknown direction 'ba', did you mean 'b-a'?; legal: a-b, b-a, both"),
    (HEAD + "phases: [b: {for: 1 s, wan: {both: {}, a-b: {}}}]",
     "3:40 phases[0].b.wan.a-b: this direction is set twice; legal: a-b and b-a, or both"),
    (HEAD + "phases: [b: {for: 1 s, wan: {a-b: {delay: +5 ms}}}]",
     "3:43 phases[0].b.wan.a-b.delay: '+5 ms': a relative value is not supported yet; legal: like '45 ms'"),
    (HEAD + "phases: [b: {for: 1 s, at 2 s: {wan: {both: {loss: outage}}}}]",
     "3:24 phases[0].b.at 2 s: 2 s is past the end of its phase; legal: less than 1 s"),
    (HEAD + "phases: [b: {for: 9 s, at 8 s: {wan: {both: {loss: outage}}, for: 2 s}}]",
     "3:67 phases[0].b.at 8 s.for: it would end after its phase; legal: at most 1 s"),
    (HEAD + "phases: [b: {for: 9 s, every 1 s: {wan: {both: {loss: outage}}, for: 2 s}}]",
     "3:70 phases[0].b.every 1 s.for: 2 s is longer than its period; legal: at most 1 s"),
    (HEAD + "phases: [b: {for: 9 s, at noon: {}}]", "3:24 phases[0].b.at noon: 'noon' is not a time; legal: write it like"),
    (HEAD + "phases: [b: {for: 9 s, ramp: {}}]", "3:24 phases[0].b.ramp: 'ramp' is not supported yet; legal: at ..., every"),
    (HEAD + "phases: [b: {for: 9 s, anchor: trafic stop}]",
     "3:32 phases[0].b.anchor: unknown anchor 'trafic stop', did you mean 'traffic stop'?; legal: scenario, traffic start"),
    (HEAD + "phases: [a: {for: 9 s}, b: {for: 9 s, anchor: scenario}]",
     "3:47 phases[1].b.anchor: 'scenario' after 'traffic start'; legal: phases in the order of their anchors"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), SCENARIOS)
def test_a_fault_in_a_scenario_says_where_and_what_is_legal(text: str, line: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_scenario(text, "s.yaml", {})
    assert caught.value.faults[0].startswith(f"s.yaml:{line}")
    assert all(LINE.fullmatch(fault) and "; legal: " in fault for fault in caught.value.faults)


TRAFFIC = "scenario: s\nneeds: {wan: []}\ntraffic: {c: {url: 'http://x', rate: 1 req/s}}\nphases: [b: {for: 1 s}]\nverdicts:\n- "
VERDICTS = [
    ("{metric: tft, quantile: p95, at_most: 1 s, in: b}", "6:12 verdicts[0].metric: 'tft' is not one of the choices; legal: ttft"),
    ("{metric: ttft, quantile: 95, at_most: 1 s, in: b}", "6:28 verdicts[0].quantile: 95 is not a percentile; legal: write it like 'p99'"),
    ("{metric: ttft, quantile: p95, at_most: 800, in: b}", "6:42 verdicts[0].at_most: 800 has no unit; legal: write it like '800 ms'"),
    ("{metric: ttft, quantile: p95, in: b}", "6:3 verdicts[0]: a verdict makes one claim; legal: either at_most"),
    ("{metric: ttft, quantile: p95, worse_than: b, in: b}", "6:3 verdicts[0]: half a comparison; legal: worse_than and"),
    ("{metric: ttft, at_most: 1 s, in: b}", "6:3 verdicts[0]: failure_rate takes no quantile, every other metric needs one"),
    ("{metric: ttft, quantile: p95, at_most: 1 s, in: bb}", "6:51 verdicts[0].in: unknown phase 'bb', did you mean 'b'?; legal: b"),
    ("{metric: ttft, quantile: p95, at_most: 1 s, in: b, of: d}", "6:58 verdicts[0].of: unknown traffic 'd'; legal: c"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), VERDICTS)
def test_a_fault_in_a_verdict_says_where_and_what_is_legal(text: str, line: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_scenario(TRAFFIC + text, "s.yaml", {})
    assert caught.value.faults[0].startswith(f"s.yaml:{line}")


RACKS = [
    ("appliances: {w: {driver: scpi, address: 10.0.0.1}}",
     "1:41 appliances.w.address: '10.0.0.1' is not an address; legal: scheme://place"),
    ("appliances: {w: {driver: scpi, adress: tcp://x:1}}", "1:17 appliances.w.address: missing; legal: like 'tcp://10"),
    ("appliances: {w: {driver: scpi, address: tcp://x:1, secret: hunter2}}",
     "1:60 appliances.w.secret: the secret is not a reference; legal: env:NAME"),
    ("appliances: {w: {driver: scpi, address: 'tcp://u:p@x:1'}}", "1:41 appliances.w.address: a password stands in"),
    ("appliances: {w: {driver: scpi, address: tcp://x:1, expect: {serial: 123}}}",
     "1:69 appliances.w.expect.serial: 123 does not fit; legal: text (put it in quotes)"),
    ("appliances: {}\nsations: {}", "2:1 sations: unknown key 'sations', did you mean 'stations'?; legal: appliances"),
    ("", "1:1: nothing does not fit; legal: a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), RACKS)
def test_a_fault_in_a_rack_says_where_and_what_is_legal(text: str, line: str) -> None:
    with pytest.raises(FileError) as caught:
        Rack.parse(text, "r.yaml")
    assert caught.value.faults[0].startswith(f"r.yaml:{line}")


def test_a_secret_that_stands_in_the_file_is_not_repeated_in_the_message() -> None:
    with pytest.raises(FileError) as caught:
        Rack.parse("appliances: {w: {driver: scpi, address: tcp://x:1, secret: hunter2}}")
    assert "hunter2" not in str(caught.value)


YAMLS = [
    ("a: [1", "1:6: expected ',' or ']', but got '<stream end>'; legal: YAML 1.2"),
    ("a: b: c", "1:5: mapping values are not allowed here; legal: YAML 1.2"),
    ("a: *x", "1:4: found undefined alias 'x'; legal: YAML 1.2"),
    ("a: 1\na: 2", "2:1 a: the key 'a' comes twice (first on line 1); legal: each key once"),
    ("a: !!python/name:os.system x", "1:4 a: the tag !!python/name:os.system is not allowed; legal: plain text"),
    ("[1, 2]: 3", "1:1: a key that is not plain text; legal: one word"),
]


@pytest.mark.parametrize(("text", "line"), YAMLS)
def test_a_file_that_is_no_plain_yaml_is_refused_with_its_place(text: str, line: str) -> None:
    with pytest.raises(FileError) as caught:
        parse_yaml(text, "f.yaml")
    assert caught.value.faults[0].startswith(f"f.yaml:{line}")


def test_yaml_1_2_reads_words_as_words_and_numbers_exactly() -> None:
    assert parse_yaml("[on, no, 010, 0x1f, 2.5, true, ~, 2024-01-01]", "f").data == [
        "on", "no", 10, 31, 2.5, True, None, "2024-01-01"
    ]  # fmt: skip


def test_aliases_that_multiply_without_end_are_refused() -> None:
    levels = "".join(f"l{i}: &l{i} [" + ", ".join([f"*l{i - 1}"] * 9) + "]\n" for i in range(1, 9))
    with pytest.raises(FileError, match="too many aliases"):
        parse_yaml("l0: &l0 [x]\n" + levels, "bomb.yaml")


def test_a_missing_file_and_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.yaml: cannot be read: No such file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "x.yaml").write_bytes(b"a: \xff")
    with pytest.raises(FileError, match="byte 3 is not UTF-8"):
        read_yaml(tmp_path / "x.yaml")


def test_all_faults_come_at_once_in_the_order_of_the_file() -> None:
    text = "titel: x\nneeds: {wan: [dealy]}\nphases:\n- a: {for: 1, wan: {ab: {}}}\n- b: {wan: {both: {delay: 4}}}\n"
    with pytest.raises(FileError) as caught:
        parse_scenario(text, "s.yaml", {})
    assert [fault.split(" ")[0] for fault in caught.value.faults] == [
        "s.yaml:1:1", "s.yaml:1:1", "s.yaml:2:15", "s.yaml:4:12", "s.yaml:4:21", "s.yaml:5:6", "s.yaml:5:27"
    ]  # fmt: skip


def test_the_demo_scenario_reads() -> None:
    path = Path(__file__).parent / "brownout.yaml"
    scenario = read_scenario(path, {"SERVICE": "http://10.77.0.2:8000/"})
    assert scenario.traffic["chat"].url == "http://10.77.0.2:8000"
    assert [phase.name for phase in scenario.phases] == ["baseline", "impaired", "outage", "recovery"]
    assert scenario.duration_ns == 60_600_000_000
    assert [str(verdict) for verdict in scenario.verdicts] == [
        "ttft p95 at most 800 ms in impaired",
        "max_gap p95 worse than baseline by at most 150 ms in recovery",
        "failure_rate at most 5 % in recovery",
    ]


@pytest.mark.parametrize("name", ["../x", "a/b", "wan 1", ".hidden", "a:b"])
def test_a_name_that_could_not_be_a_file_is_refused(name: str) -> None:
    with pytest.raises(FileError, match="is not a name"):
        Rack.parse(json.dumps({"appliances": {name: {"driver": "scpi", "address": "tcp://192.0.2.1:5025"}}}))
    traffic = {"kind": "inference", "url": "http://192.0.2.1", "rate": "4 req/s"}
    with pytest.raises(FileError, match="is not a name"):
        parse_scenario(json.dumps({"scenario": "s", "traffic": {name: traffic}, "phases": [{"a": {"for": "1 s"}}]}))
