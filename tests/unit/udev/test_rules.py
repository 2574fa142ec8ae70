"""The udev rules: the five mistakes that `udevadm verify` passes, each shown on a bad sample; and verify itself."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

UDEV = Path(__file__).parents[3] / "udev"
DATA = tomllib.loads((UDEV / "lint.toml").read_text())
TEMPLATE_VALUES = {"NAME": "chimera-1", "SERIAL": "SIM0001", "INTERFACE": "01", "PATH": "pci-0000:00:14.0-usb-0:2:1.1"}
PAIR = re.compile(
    r'\s*(?P<key>[A-Z_]+)(?:\{(?P<name>[^}]*)\})?\s*(?P<operator>==|!=|\+=|-=|:=|=)\s*"(?P<value>[^"]*)"\s*'
)
SYSFS_SUBSTITUTION = re.compile(r"(?:\$attr|\$sysfs|%s)\{(?P<name>[^}]*)\}")
PARENT_KEYS = {"KERNELS", "SUBSYSTEMS", "DRIVERS", "ATTRS"}


@dataclass(frozen=True)
class Pair:
    """One `KEY{name}operator"value"` of a rule."""

    key: str
    name: str
    operator: str
    value: str

    @property
    def assigns(self) -> bool:
        return self.operator in {"=", "+=", ":="}


Rule = list[Pair]


def parse(text: str) -> Iterator[Rule]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield [parse_pair(part) for part in re.split(r",(?=\s*[A-Z_]+\W)", line)]


def parse_pair(text: str) -> Pair:
    match = PAIR.fullmatch(text)
    assert match, f"not a key, an operator and a value: {text!r}"
    return Pair(match["key"], match["name"] or "", match["operator"], match["value"])


def assigned_where_matched(rule: Rule) -> Iterator[str]:
    for pair in rule:
        if pair.assigns and pair.name not in DATA["assignable"].get(pair.key, [pair.name]):
            yield f"{pair.key}{{{pair.name}}} is written, not matched"


def symbolic_mode(rule: Rule) -> Iterator[str]:
    for pair in rule:
        if pair.key == "MODE" and not re.fullmatch(r"0[0-7]{2}0", pair.value):
            yield f"MODE {pair.value} is not four octal digits that leave others out"


def empty_attribute(rule: Rule) -> Iterator[str]:
    has_parent = any(pair.key in PARENT_KEYS for pair in rule)
    own_device = any(pair.key == "ENV" and pair.value == "usb_device" for pair in rule)
    for pair in rule:
        for match in SYSFS_SUBSTITUTION.finditer(pair.value):
            if ".." in match["name"] or not (has_parent or own_device):
                yield f"{match[0]} expands to nothing"


def several_parents(rule: Rule) -> Iterator[str]:
    parents = {
        parent
        for pair in rule
        for key, table, wanted in (("ATTRS", "parents", pair.name), ("DRIVERS", "drivers", pair.value))
        for parent, names in DATA[table].items()
        if pair.key == key and wanted in names
    }
    if len(parents) > 1:
        yield f"no one parent has all of: {', '.join(sorted(parents))}"


CHECKS: list[Callable[[Rule], Iterator[str]]] = [
    assigned_where_matched,
    symbolic_mode,
    empty_attribute,
    several_parents,
]


def lint(text: str, number: int) -> list[str]:
    rules = list(parse(text))
    faults = [fault for rule in rules for check in CHECKS for fault in check(rule)]
    if number > DATA["files"]["last"] and any(
        pair.key == "TAG" and pair.value == "uaccess" for r in rules for pair in r
    ):
        faults.append(f"the tag uaccess comes too late in a file numbered {number}")
    if number < DATA["files"]["first"] and any(
        pair.key == "ENV" and pair.name.startswith("ID_") for r in rules for pair in r
    ):
        faults.append(f"ID_* properties are not there yet in a file numbered {number}")
    return faults


def fill(template: str) -> str:
    return re.sub(r"@([A-Z]+)@", lambda match: TEMPLATE_VALUES[match[1]], template)


def shipped() -> Iterator[tuple[str, str]]:
    """Name and text of each file as it is installed."""
    for path in sorted(UDEV.glob("*.rules*")):
        yield path.name.removesuffix(".in"), fill(path.read_text())


SHIPPED = dict(shipped())


def test_there_are_rules() -> None:
    assert set(SHIPPED) == {"65-impairlab.rules", "66-impairlab-console.rules"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_rules_are_clean(name: str) -> None:
    assert lint(SHIPPED[name], int(name[:2])) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_node_that_is_opened_up_names_group_mode_and_seat(name: str) -> None:
    for rule in parse(SHIPPED[name]):
        access = {pair.key for pair in rule if pair.key in {"GROUP", "MODE"} or pair.value == "uaccess"}
        assert access in (set(), {"GROUP", "MODE", "TAG"})


@pytest.mark.parametrize(
    ("number", "sample", "fault"),
    [
        (65, 'SUBSYSTEM=="usb", ATTR{idVendor}="0957", MODE="0660"', "ATTR{idVendor} is written"),
        (65, 'SUBSYSTEM=="tty", ENV{ID_SERIAL_SHORT}="SIM0001"', "ENV{ID_SERIAL_SHORT} is written"),
        (65, 'SUBSYSTEM=="usb", MODE="rw-rw"', "MODE rw-rw"),
        (65, 'SUBSYSTEM=="usb", MODE="0666"', "MODE 0666"),
        (65, 'KERNEL=="usbtmc*", SYMLINK+="usbtmc-$attr{../../idVendor}"', "$attr{../../idVendor} expands to nothing"),
        (65, 'KERNEL=="usbtmc*", SYMLINK+="usbtmc-%s{idVendor}"', "%s{idVendor} expands to nothing"),
        (65, 'ATTRS{idVendor}=="0957", ATTRS{bInterfaceNumber}=="00", MODE="0660"', "no one parent"),
        (65, 'ATTRS{idVendor}=="0957", DRIVERS=="usbtmc", MODE="0660"', "no one parent"),
        (80, 'SUBSYSTEM=="usb", TAG+="uaccess"', "uaccess comes too late"),
        (
            60,
            'SUBSYSTEM=="tty", ENV{ID_SERIAL_SHORT}=="SIM0001", SYMLINK+="lab/x"',
            "ID_* properties are not there yet",
        ),
    ],
)
def test_each_mistake_is_found(number: int, sample: str, fault: str) -> None:
    (found,) = lint(sample, number)
    assert fault in found


@pytest.mark.parametrize(
    "sample",
    [
        'KERNEL=="usbtmc*", ATTRS{idVendor}=="0957", ATTRS{serial}=="?*", SYMLINK+="lab/$attr{serial}"',
        'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", SYMLINK+="lab/$attr{serial}", TAG+="uaccess", MODE="0660"',
        'SUBSYSTEMS=="usb", DRIVERS=="cdc_acm", ATTRS{bInterfaceNumber}=="02", MODE="0660"',
    ],
)
def test_what_is_right_is_left_alone(sample: str) -> None:
    assert lint(sample, 65) == []


def udevadm_that_verifies() -> str:
    """The path of udevadm, or skip: `verify` came with systemd 254."""
    udevadm = shutil.which("udevadm")
    if udevadm is None:
        pytest.skip("udevadm is not installed")
    version = int(subprocess.run([udevadm, "--version"], capture_output=True, text=True, check=True).stdout.split()[0])
    if version < 254:
        pytest.skip(f"udevadm verify came with systemd 254, this is {version}")
    return udevadm


@pytest.mark.parametrize("name", SHIPPED)
def test_udevadm_verifies_the_rules(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(SHIPPED[name])
    command = [udevadm_that_verifies(), "verify", "--resolve-names=never", "--no-style", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
