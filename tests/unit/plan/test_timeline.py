"""From phases and windows to a flat list of instants, and the check against what appliances can do."""

# ruff: noqa: E501 - a table of texts and the lines they cause reads best unbroken

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from impairlab.controller.plan.check import check
from impairlab.controller.plan.rack import PathRef
from impairlab.controller.plan.scenario_file import parse_scenario, read_scenario
from impairlab.controller.plan.timeline import Timeline, build_timeline, preview
from impairlab.drivers.calnex.sne_held import held_rule
from impairlab.drivers.model import Capabilities, Conditions, Feature, Provenance, Range
from impairlab.drivers.model.errors import FileError
from impairlab.drivers.xena.capabilities import capabilities

BINDING = {"wan": PathRef("wan-1", "1")}
SECOND = 1_000_000_000
HEAD = "scenario: s\nneeds: {wan: []}\nphases:\n"


def lay_out(phases: str) -> Timeline:
    return build_timeline(parse_scenario(HEAD + phases, "s.yaml", {}), BINDING)


def story(timeline: Timeline) -> list[tuple[float, str, dict[str, Conditions]]]:
    return [
        (step.t_ns / SECOND, step.label, {change.target.direction: change.conditions for change in step.changes})
        for step in timeline.steps
    ]


def of(**kinds: object) -> Conditions:
    return Conditions.model_validate(kinds)


def test_each_phase_begins_with_its_own_conditions_and_the_end_is_neutral() -> None:
    timeline = lay_out("- calm: {for: 2 s}\n- rough: {for: 3 s, wan: {b-a: {delay: 40 ms}}}\n")
    assert story(timeline) == [
        (0, "phase", {"a-b": of(), "b-a": of()}),
        (2, "phase", {"b-a": of(delay="40 ms")}),
        (5, "end", {"a-b": of(), "b-a": of()}),
    ]
    assert [(span.phase, span.start_ns, span.end_ns) for span in timeline.spans] == [
        ("calm", 0, 2 * SECOND),
        ("rough", 2 * SECOND, 5 * SECOND),
    ]


def test_a_phase_that_changes_nothing_is_still_a_step() -> None:
    timeline = lay_out("- a: {for: 1 s}\n- b: {for: 1 s}\n")
    assert [(step.phase, step.label, len(step.changes)) for step in timeline.steps] == [
        ("a", "phase", 2),
        ("b", "phase", 0),
        ("b", "end", 2),
    ]


def test_a_window_replaces_kind_by_kind_and_gives_back_what_was_there() -> None:
    timeline = lay_out(
        "- p: {for: 10 s, wan: {a-b: {delay: 5 ms, loss: 1 %}}, at 4 s: {wan: {a-b: {loss: outage}}, for: 600 ms}}\n"
    )
    assert story(timeline)[1:3] == [
        (4, "at 4 s", {"a-b": of(delay="5 ms", loss="outage")}),
        (4.6, "end of at 4 s", {"a-b": of(delay="5 ms", loss="1 %")}),
    ]


def test_a_recurring_window_first_comes_after_one_period_and_stops_with_its_phase() -> None:
    timeline = lay_out("- p: {for: 10 s, every 3 s: {wan: {a-b: {loss: outage}}, for: 2 s}}\n")
    assert [(t, label) for t, label, _ in story(timeline)] == [
        (0, "phase"), (3, "every 3 s"), (5, "end of every 3 s"), (6, "every 3 s"), (8, "end of every 3 s"),
        (9, "every 3 s"), (10, "end"),
    ]  # fmt: skip


def test_a_recurring_window_may_begin_where_it_is_told_to() -> None:
    timeline = lay_out("- p: {for: 10 s, at 0 s every 6 s: {wan: {a-b: {loss: outage}}, for: 1 s}}\n")
    assert [t for t, _, _ in story(timeline)] == [0, 1, 6, 7, 10]


def test_the_window_that_began_last_wins_where_two_overlap() -> None:
    timeline = lay_out(
        "- p:\n    for: 9 s\n    at 2 s: {wan: {a-b: {delay: 1 ms}}, for: 4 s}\n    at 3 s: {wan: {a-b: {delay: 2 ms}}, for: 1 s}\n"
    )
    assert [(t, said["a-b"]) for t, _, said in story(timeline)][1:5] == [
        (2, of(delay="1 ms")), (3, of(delay="2 ms")), (4, of(delay="1 ms")), (6, of()),
    ]  # fmt: skip


def test_a_window_without_an_end_lasts_as_long_as_its_phase() -> None:
    timeline = lay_out("- p: {for: 9 s, at 2 s: {wan: {a-b: {delay: 1 ms}}}}\n- q: {for: 1 s}\n")
    assert [(t, label) for t, label, _ in story(timeline)] == [(0, "phase"), (2, "at 2 s"), (9, "phase"), (10, "end")]


def test_each_anchor_counts_from_zero_and_conditions_carry_over() -> None:
    timeline = lay_out(
        "- before: {for: 2 s, anchor: scenario, wan: {a-b: {delay: 1 ms}}}\n"
        "- during: {for: 3 s, wan: {a-b: {delay: 1 ms}}}\n"
        "- after: {for: 4 s, anchor: traffic stop}\n"
    )
    assert [(step.anchor, step.t_ns // SECOND, len(step.changes)) for step in timeline.steps] == [
        ("scenario", 0, 2), ("traffic start", 0, 0), ("traffic stop", 0, 1), ("traffic stop", 4, 2),
    ]  # fmt: skip
    assert [timeline.length_ns(a) // SECOND for a in ("scenario", "traffic start", "traffic stop")] == [2, 3, 4]


def test_a_timeline_survives_its_json() -> None:
    path = Path(__file__).parent / "brownout.yaml"
    timeline = build_timeline(read_scenario(path, {"SERVICE": "http://x"}), BINDING)
    assert Timeline.model_validate_json(timeline.model_dump_json()) == timeline


def test_the_preview_names_every_change() -> None:
    path = Path(__file__).parent / "brownout.yaml"
    text = preview(build_timeline(read_scenario(path, {"SERVICE": "http://x"}), BINDING), BINDING)
    assert "brownout: 60.6 s, 4 phases, wan = wan-1:1" in text
    assert "+20 s  impaired" in text
    assert "wan b-a: delay 40 ms ± 8 ms normal, loss 1 % in bursts of 4" in text
    assert "+45.6 s  recovery" in text


@pytest.mark.parametrize(
    ("binding", "line"),
    [
        ({}, "s.yaml:2:14 needs.wan: no path plays this role; legal: --on wan=appliance or wan=appliance:path"),
        (
            {**BINDING, "wann": PathRef("x", "1")},
            "s.yaml:2:1 needs.wann: unknown role 'wann', did you mean 'wan'?; legal: wan",
        ),
        ({**BINDING, "lan": PathRef("wan-1", "1")}, "s.yaml:2:1 needs.lan: unknown role 'lan', did you mean 'wan'?"),
    ],
)
def test_roles_and_paths_must_go_together(binding: dict[str, PathRef], line: str) -> None:
    with pytest.raises(FileError) as caught:
        build_timeline(parse_scenario(HEAD + "- a: {for: 1 s}\n", "s.yaml", {}), binding)
    assert caught.value.faults[0].startswith(line)


def test_one_path_cannot_play_two_roles() -> None:
    text = "scenario: s\nneeds: {lan: [], wan: []}\nphases: [a: {for: 1 s}]\n"
    with pytest.raises(FileError, match=r"2:23 needs.wan: wan-1:1 plays lan and wan; legal: one role for each path"):
        build_timeline(parse_scenario(text, "s.yaml", {}), {"lan": PathRef("wan-1", "1"), "wan": PathRef("wan-1", "1")})


def test_a_scenario_with_too_many_instants_is_refused() -> None:
    with pytest.raises(FileError, match="too many instants; legal: at most 100000 in a scenario"):
        lay_out("- p: {for: 1 h, every 1 us: {wan: {a-b: {delay: 1 ms}}}}\n")


DOCUMENTED = Provenance(basis="documented")
TIME = Range(dimension="time", low=Decimal(0), high=Decimal(10**9), step=Decimal(10**5))
SHARE = Range(dimension="probability", low=Decimal(0), high=Decimal(1), step=Decimal("0.0001"))
BOX = Capabilities(
    paths=("1",),
    features={
        "delay.constant": Feature(name="delay.constant", ranges={"mean": TIME}, provenance=DOCUMENTED),
        "delay.uniform": Feature(
            name="delay.uniform", ranges={"mean": TIME, "spread": TIME}, provenance=DOCUMENTED
        ),
        "loss.random": Feature(name="loss.random", ranges={"rate": SHARE}, provenance=DOCUMENTED),
    },
    exclusive=(frozenset({"delay", "loss"}),),
    update_interval_ns=200_000_000,
)  # fmt: skip


def checked(phases: str, needs: str = "[]", path: str = "1") -> list[str]:
    text = f"scenario: s\nneeds: {{wan: {needs}}}\nphases:\n{phases}"
    scenario = parse_scenario(text, "s.yaml", {})
    binding = {"wan": PathRef("wan-1", path)}
    timeline = build_timeline(scenario, binding)
    return [str(fault) for fault in check(scenario, timeline, binding, {"wan-1": BOX})]


@pytest.mark.parametrize(
    ("phases", "line"),
    [
        ("- a: {for: 1 s, wan: {a-b: {delay: 2 s}}}\n",
         "s.yaml:4:36 phases[0].a.wan.a-b.delay: wan-1: 2 s is out of range; legal: 0 s .. 1 s in steps of 100 us"),
        ("- a: {for: 1 s, wan: {a-b: {delay: {mean: 1.01 ms}}}}\n",
         "s.yaml:4:43 phases[0].a.wan.a-b.delay.mean: wan-1: 1.01 ms is off step, nearest is 1 ms; legal: 0 s .. 1 s"),
        ("- a: {for: 1 s, wan: {a-b: {delay: {mean: 5 ms, jitter: 2 ms}}}}\n",
         "s.yaml:4:36 phases[0].a.wan.a-b.delay: wan-1: 'normal' not offered; legal: constant, uniform"),
        ("- a: {for: 1 s, wan: {a-b: {delay: {mean: 5 ms, jitter: 1.05 ms, distribution: uniform}}}}\n",
         "s.yaml:4:57 phases[0].a.wan.a-b.delay.jitter: wan-1: 1.05 ms is off step, nearest is 1 ms; legal: 0 s .. 1 s"),
        ("- a: {for: 1 s, wan: {a-b: {corrupt: 1 %}}}\n",
         "s.yaml:4:38 phases[0].a.wan.a-b.corrupt: wan-1: not offered by this appliance; legal: delay, loss"),
        ("- a: {for: 1 s, wan: {a-b: {delay: 5 ms}}, at 300 ms: {wan: {a-b: {loss: 1 %}}, for: 300 ms}}\n",
         "s.yaml:4:67 phases[0].a.at 300 ms.wan.a-b: wan-1: cannot be combined with loss; legal: one of delay, loss"),
        ("- a: {for: 1 s, at 300 ms: {wan: {a-b: {loss: 1 %}}, for: 150 ms}}\n",
         "s.yaml:4:6 phases[0].a: 150 ms after the change before it, too soon for wan-1; legal: 200 ms or more"),
    ],
)  # fmt: skip
def test_what_the_appliance_cannot_do_is_found_before_a_byte_is_sent(phases: str, line: str) -> None:
    assert checked(phases)[0].startswith(line)


def test_needs_and_paths_are_checked() -> None:
    phases = "- a: {for: 1 s}\n"
    assert checked(phases, needs="[delay.normal, loss]") == [
        "s.yaml:2:15 needs.wan[0]: wan-1 does not offer delay.normal; legal: delay.constant, delay.uniform, loss.random"
    ]
    assert checked(phases, path="9") == ["s.yaml:2:14 needs.wan: wan-1 has no path '9'; legal: 1"]


def test_all_violations_come_at_once_and_each_once() -> None:
    phases = "- a: {for: 1 s, wan: {both: {delay: 2 s}}}\n- b: {for: 1 s, wan: {both: {corrupt: 1 %}}}\n"
    assert [fault.split(" ")[0] for fault in checked(phases)] == ["s.yaml:4:37", "s.yaml:5:39"]


def test_values_off_step_may_be_left_to_the_nearest() -> None:
    scenario = parse_scenario(HEAD + "- a: {for: 1 s, wan: {a-b: {delay: 1.01 ms}}}\n", "s.yaml", {})
    timeline = build_timeline(scenario, BINDING)
    assert check(scenario, timeline, BINDING, {"wan-1": BOX}, on_mismatch="nearest") == ()
    assert len(check(scenario, timeline, BINDING, {"wan-1": BOX})) == 1


def test_what_an_appliance_does_on_some_flows_only_is_named_offline() -> None:
    chimera = capabilities(("1",), (0, SECOND), 10_000_000)
    phases = HEAD + "- a: {for: 2 s, wan: {b-a: {corrupt: {rate: 1 %, damages: udp}}}}\n"
    scenario = parse_scenario(phases, "s.yaml", {})
    timeline = build_timeline(scenario, BINDING)
    (fault,) = check(scenario, timeline, BINDING, {"wan-1": chimera})
    assert str(fault) == (
        "s.yaml:4:59 phases[0].a.wan.b-a.corrupt.damages: wan-1: udp needs a flow with a filter; "
        "legal: ethernet on 'everything else'; ip, udp and tcp on flow 1 .."
    )


def test_what_a_map_holds_in_one_direction_only_is_named_offline() -> None:
    rule = held_rule({"a-b": {"packetdrop": "Drop"}, "b-a": {}})
    box = replace(BOX, place_rules=(rule,))
    scenario = parse_scenario(HEAD + "- a: {for: 2 s, wan: {both: {loss: 1 %}}}\n", "s.yaml", {})
    timeline = build_timeline(scenario, BINDING)
    faults = [str(fault) for fault in check(scenario, timeline, BINDING, {"wan-1": box})]
    assert len(faults) == 1
    assert "the map holds none that acts in this direction; legal: what it holds: nothing" in faults[0]
