"""Why there are no network namespaces is said so that somebody can do something about it."""

import errno
import os

import pytest

from impairlab.sim_hardware.planes.obstacles import obstacle


@pytest.fixture
def settings(tmp_path):
    """A machine that allows everything."""
    for name, value in {
        "kernel/unprivileged_userns_clone": 1,
        "kernel/apparmor_restrict_unprivileged_userns": 0,
        "user/max_user_namespaces": 9000,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{value}\n")
    return tmp_path


def failed(code, what="a user namespace"):
    return OSError(code, f"{what}: {os.strerror(code)}")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("kernel/unprivileged_userns_clone", "0", errno.EPERM),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", errno.EACCES),
        ("user/max_user_namespaces", "0", errno.ENOSPC),
    ],
)
def test_a_setting_that_forbids_it_is_named(settings, name, value, code):
    (settings / name).write_text(f"{value}\n")
    assert obstacle(failed(code), settings) == f"{failed(code).strerror} (sysctl {name.replace('/', '.')}={value})"


@pytest.mark.parametrize(("code", "hint"), [(errno.EPERM, "container"), (errno.ENOSPC, "limit")])
def test_where_no_setting_forbids_it_the_likely_cause_is_named(settings, code, hint):
    assert hint in obstacle(failed(code), settings)


def test_settings_that_are_not_there_forbid_nothing(tmp_path):
    assert "sysctl" not in obstacle(failed(errno.EPERM), tmp_path)


@pytest.mark.parametrize(("code", "hint"), [(errno.ENOENT, "modprobe tun"), (errno.EACCES, "Permission denied")])
def test_the_device_of_the_ports_is_named(settings, code, hint):
    assert obstacle(OSError(code, os.strerror(code), "/dev/net/tun"), settings).startswith("/dev/net/tun: ")
    assert hint in obstacle(OSError(code, os.strerror(code), "/dev/net/tun"), settings)


def test_a_file_that_refuses_is_named(settings):
    """Where AppArmor lets a user namespace be made, but nothing be done in it."""
    (settings / "kernel/apparmor_restrict_unprivileged_userns").write_text("1\n")
    said = obstacle(OSError(errno.EPERM, "Operation not permitted", "/proc/self/uid_map"), settings)
    assert said.startswith("/proc/self/uid_map: Operation not permitted (sysctl kernel.apparmor")


def test_anything_else_is_said_as_it_is(settings):
    assert obstacle(failed(errno.EBUSY), settings) == "a user namespace: Device or resource busy"
