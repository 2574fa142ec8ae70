"""What an interactive shell writes to a terminal, read as text: control sequences, echo, prompt. Pure."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"  # CSI (ECMA-48 5.4)
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC (ECMA-48 5.6; xterm ends OSC with BEL)
    r"|\x1b[ -/]*[0-Z\\^-~]"  # other escape sequences, two bytes and more (ECMA-35)
    r"|(?P<text>.)",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]*")
_SPACE = " "


def render(output: str) -> str:
    """Return the text as it stands on an endless terminal: lines overwritten and erased as the output says."""
    return "\n".join(_render_line(line) for line in _line_ends_made_plain(output).split("\n"))


def last_line(output: str) -> str:
    """Return the line on which the cursor stands."""
    return _render_line(output[output.rfind("\n") + 1 :])


def answer_of(output: str, command: str, prompt: str) -> str | None:
    """Return the answer to a command; None while its echo, or the prompt at the beginning of the last line, is missing.

    What stands before the echo must be blank or a prompt: a shell that was late to print one.

    Raises:
        ValueError: Something else stands there.
    """
    *lines, end = render(output).split("\n")
    if end != prompt:
        return None
    echoes = {command.rstrip(), f"{prompt}{command}".rstrip()}
    for number, line in enumerate(lines):
        if line.rstrip() in echoes:
            return "\n".join(each.rstrip() for each in lines[number + 1 :])
        if line.strip() and line.rstrip() != prompt.rstrip():
            raise ValueError(f"wrote {line!r} instead of the echo of the command")
    return None


def without_echo(output: bytes, command: str) -> bytes:
    """Return what came after the echo of a command, where that is the first line."""
    echo = re.match(re.escape(command.encode()) + rb"[ \r]*\n", output)
    return output[echo.end() :] if echo else output


def is_idle_talk(output: str, prompt: str) -> bool:
    """Whether there is nothing but blank lines and prompts."""
    return all(line.strip() in {"", prompt.strip()} for line in render(output).split("\n"))


def _line_ends_made_plain(output: str) -> str:
    return output.replace("\r\n", "\n")


def _render_line(line: str) -> str:
    if _PLAIN.fullmatch(line):
        return line
    cells: list[str] = []
    column = 0
    for token in _TOKEN.finditer(line):
        match token["final"], token["text"]:
            case "K", _:
                _erase(cells, column, token["parameters"] or "0")
            case _, "\r":
                column = 0
            case _, "\b":
                column = max(column - 1, 0)
            case None, str(text) if text == "\t" or _PLAIN.fullmatch(text):
                cells += [_SPACE] * (column - len(cells))
                cells[column : column + 1] = [text]
                column += 1
    return "".join(cells)


def _erase(cells: list[str], column: int, extent: str) -> None:
    """Erase in line (ECMA-48 8.3.41): 0 from the cursor to the end, 1 up to it, 2 everything."""
    match extent:
        case "0":
            del cells[column:]
        case "1":
            cells[: column + 1] = [_SPACE] * min(column + 1, len(cells))
        case "2":
            del cells[:]
