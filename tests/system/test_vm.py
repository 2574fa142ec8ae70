"""The virtual machine that tests run things in: what it shows of this machine, and how it ends."""

import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
def test_a_command_sees_this_machine_and_is_root_under_another_kernel(run_in_vm, tmp_path):
    script = "id -u; uname -r; pwd; ls pyproject.toml; grep -w sch_netem /proc/modules | cut -d' ' -f1; "
    script += "touch here 2>&1 | grep -o Read-only; echo kept >$EXCHANGE/made; echo $WHO >&2; exit 7"
    environment = {"EXCHANGE": "/run/vm", "WHO": "a test's own"}
    outcome = run_in_vm(
        ["sh", "-c", script], modules=["sch-netem"], folder=ROOT, exchange=tmp_path, environment=environment
    )
    assert outcome.status == 7, str(outcome)
    user, kernel, *rest = outcome.output.splitlines()
    assert (user, kernel.endswith("-amd64")) == ("0", True)
    assert rest == [str(ROOT), "pyproject.toml", "sch_netem", "Read-only", "a test's own"]
    assert (tmp_path / "made").read_text() == "kept\n"


@pytest.mark.timeout(600)
def test_a_command_without_end_ends_with_the_machine(run_in_vm):
    started = time.monotonic()
    outcome = run_in_vm([sys.executable, "-c", "import time; time.sleep(3600)"], within_s=15)
    assert outcome.status is None
    assert "ended after 15 s" in str(outcome)
    assert time.monotonic() - started < 200


def test_a_module_that_the_kernel_has_not_is_named(run_in_vm):
    with pytest.raises(KeyError, match="no_such_module"):
        run_in_vm(["true"], modules=["no_such_module"])
