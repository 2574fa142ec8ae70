"""Where a run leaves what it leaves."""

import pytest

from impairlab.controller.run.folder import RunFolder
from impairlab.drivers.model.errors import FileError


def test_runs_of_the_same_second_have_a_folder_each(tmp_path):
    folders = [RunFolder.create(tmp_path / "a" / "runs", "brownout") for _ in range(3)]
    assert len({folder.path for folder in folders}) == 3
    assert all(folder.name.rstrip("-23").endswith("-brownout") for folder in folders)
    assert all(folder.requests("chat").parent.is_dir() and folder.wire("wan-1").parent.is_dir() for folder in folders)


def test_a_place_where_no_folder_can_be_is_named(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(FileError, match=r"runs: no folder can be made in it: .*; legal: "):
        RunFolder.create(tmp_path / "runs", "brownout")
    with pytest.raises(FileError, match="no folder can be made in it"):
        RunFolder.create(tmp_path / "runs" / "of-mine", "brownout")
