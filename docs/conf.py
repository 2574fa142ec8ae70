"""Sphinx configuration: MyST pages, and an API page for every package, written from the installed package."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "impairlab"
author = "The impairlab developers"
release = installed_version("impairlab")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"impairlab {release}"
default_role = "code"
autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    "exclude-members": "model_config,model_post_init",
}
autodoc_typehints = "description"
python_use_unqualified_type_names = True
myst_heading_anchors = 3

API = Path(__file__).parent / "reference" / "api"
SECTIONS = {f"{name}:" for name in ("Args", "Attributes", "Raises", "Returns", "Yields", "Example", "Examples")}
ROOTS = ("impairlab.drivers", "impairlab.controller", "impairlab.sim_hardware")


def packages() -> Iterator[ModuleType]:
    """The three roots and every package below them."""
    for root in map(importlib.import_module, ROOTS):
        yield root
        for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if found.ispkg:
                yield importlib.import_module(found.name)


def public_modules(package: ModuleType) -> list[str]:
    """A package below a root that exports its names stands for its modules; a root exports those of its packages."""
    if hasattr(package, "__all__") and package.__name__ not in ROOTS:
        return [package.__name__]
    below = (found.name for found in pkgutil.iter_modules(package.__path__) if not found.ispkg)
    return [f"{package.__name__}.{name}" for name in below if not name.startswith("_")]


def write_api_pages(_app: Sphinx) -> None:
    """Write reference/api/<package>.rst; pages of packages that are gone are removed."""
    API.mkdir(exist_ok=True)
    pages = {API / f"{package.__name__}.rst": api_page(package) for package in packages()}
    for stale in set(API.glob("*.rst")) - set(pages):
        stale.unlink()
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def api_page(package: ModuleType) -> str:
    title = package.__name__
    modules = public_modules(package)
    own = [] if title in modules else [f".. automodule:: {title}\n   :no-members:\n"]
    return "\n".join([title, "=" * len(title), "", *own, *(f".. automodule:: {name}\n" for name in modules)])


def plain_text(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Docstrings are plain text with Google sections: a star starts no emphasis, an indented block is an example."""
    lines[:] = list(restructured(lines))


def restructured(lines: list[str]) -> Iterator[str]:
    """The lines with the marks and blank lines that reStructuredText wants."""
    previous, literal = "", False
    for line in lines:
        indented = line.startswith("    ")
        if indented and previous.strip() and not previous.startswith((" ", "- ", "* ")) and previous not in SECTIONS:
            yield from ("", "::", "")
            literal = True
        elif line.strip() and not indented:
            if previous.startswith("    "):
                yield ""
            literal = False
        yield line if literal else without_emphasis(line)
        literal = literal or line.endswith("::")
        previous = line


def without_emphasis(line: str) -> str:
    parts = re.split(r"(`+[^`]*`+)", line)
    return "".join(part if part.startswith("`") else re.sub(r"(?<!\\)[*|]", r"\\\g<0>", part) for part in parts)


def setup(app: Sphinx) -> None:
    app.add_lexer("scpi", TextLexer)
    app.connect("builder-inited", write_api_pages)
    app.connect("autodoc-process-docstring", plain_text, priority=400)
