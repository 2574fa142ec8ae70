"""Map the top-level folders to the packages of the `impairlab` namespace.

The list of sub-packages is computed, because one kept by hand in pyproject.toml would go stale without anyone noticing.
"""

from setuptools import find_packages, setup

FOLDERS = ("drivers", "controller", "sim_hardware")

setup(
    package_dir={f"impairlab.{folder}": folder for folder in FOLDERS},
    packages=[f"impairlab.{name}" for folder in FOLDERS for name in find_packages(include=[folder, f"{folder}.*"])],
)
