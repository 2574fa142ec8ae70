"""docs/reference/cli.md has every verb with every option, its default and its choices, and every exit code."""

import re

import click
import pytest

from impairlab.controller.cli.app import root
from impairlab.controller.cli.exits import Exit


def commands():
    context = click.Context(root)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", command.commands[inner]) for inner in command.commands)
        else:
            yield name, command


VERBS = dict(commands())


@pytest.fixture
def cli_page(page):
    return page("reference/cli.md")


def test_every_verb_is_in_the_overview_and_has_a_section(cli_page):
    assert cli_page.column("The command line") == list(VERBS)
    assert [name for name in cli_page.sections if name.startswith("impairlab ")] == [f"impairlab {v}" for v in VERBS]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_there_with_its_default(cli_page, verb):
    options = {o.opts[0]: o for o in VERBS[verb].params if isinstance(o, click.Option)}
    tables = cli_page.tables(f"impairlab {verb}")
    rows = {row["option"].strip("`").split()[0]: row for row in tables[0]} if tables else {}
    assert list(rows) == list(options)
    for name, option in options.items():
        default = None if option.is_flag else option.to_info_dict()["default"]
        values = default if option.multiple and default is not None else [default]
        said = ", ".join(f"`{value}`" for value in values if value is not None)
        assert rows[name]["default"] == said, name


@pytest.mark.parametrize("verb", VERBS)
def test_the_usage_line_has_every_option_choice_and_argument(cli_page, verb):
    usage = re.search(
        rf"^    impairlab {verb}(?: .*)?\n(?:     +.*\n)*", cli_page.sections[f"impairlab {verb}"], re.MULTILINE
    )
    words = usage.group()
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", words)) == {
        o.opts[0] for o in VERBS[verb].params if isinstance(o, click.Option)
    }
    for parameter in VERBS[verb].params:
        if isinstance(parameter, click.Argument):
            word = parameter.name.upper()
            assert (
                words.rstrip()
                .removesuffix("" if parameter.required else "]")
                .endswith(word if parameter.nargs == 1 else f"{word.removesuffix('S')}...")
            )
        elif isinstance(parameter.type, click.Choice):
            assert f"{parameter.opts[0]} {'|'.join(parameter.type.choices)}]" in words


def test_the_exit_codes_are_those_that_there_are(cli_page):
    rows = cli_page.tables("Exit codes")[0]
    assert [(int(row["code"]), row["name"].strip("`")) for row in rows] == [(code.value, code.name) for code in Exit]
