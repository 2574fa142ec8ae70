"""The wheel holds every module and data file of the three folders, so that what is installed is what is in the tree."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("drivers", "controller", "sim_hardware")
IGNORED = shutil.ignore_patterns("__pycache__", "*.py[cod]", ".*")


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files in a wheel that is built from a copy, because setuptools writes into the tree it builds from."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tree / folder, ignore=IGNORED)
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, tree)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    result = subprocess.run([*pip, "--wheel-dir", str(out), str(tree)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    (wheel,) = out.glob("impairlab-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_the_tree_is_in_the_wheel(folder: str, wheel_names: set[str]) -> None:
    in_tree = {
        f"impairlab/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert in_tree - wheel_names == set()


def test_nothing_else_is_in_the_wheel(wheel_names: set[str]) -> None:
    others = {name for name in wheel_names if ".dist-info/" not in name}
    assert {name.split("/")[1] for name in others} == set(FOLDERS)


def test_impairlab_is_a_namespace_without_a_file(wheel_names: set[str]) -> None:
    assert "impairlab/__init__.py" not in wheel_names
