"""README.md tells the truth about topics and parameters, and what is made from others is fresh."""

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_generated_parts_are_those_of_the_code() -> None:
    text = read("README.md")
    assert generate().generated(text) == text, "run: make docs"


def test_both_changelogs_say_the_same() -> None:
    made = generate().bloom_changelog(read("CHANGELOG.md"))
    assert made == read("CHANGELOG.rst"), "run: make docs"


def test_a_changelog_in_the_form_of_the_release_tool() -> None:
    text = """# Changelog

## [Unreleased]

### Added
- `--set`: [more](https://example.org) of
  `Error`s.

## [0.1.0] - 2026-12-01

### Fixed
- All.
"""
    assert generate().bloom_changelog(text).split("\n\n", 1)[1] == r"""Forthcoming
-----------

Added:

* ``--set``: `more <https://example.org>`__ of
  ``Error``\ s.

0.1.0 (2026-12-01)
------------------

Fixed:

* All.
"""


def test_the_release_tool_reads_the_changelog() -> None:
    changelog = pytest.importorskip("catkin_pkg.changelog", reason="catkin_pkg comes with ROS 2")
    text = read("CHANGELOG.md").replace("## [Unreleased]", "## [0.1.0] - 2026-12-01")
    found = changelog.populate_changelog_from_rst(
        changelog.Changelog("realtime_rl"), generate().bloom_changelog(text))
    (version, date, content), = found.foreach_version()
    assert (version, date.year) == ("0.1.0", 2026)
    assert content


def test_what_pip_is_to_install_beside_ros_is_what_the_extras_need() -> None:
    line, = re.findall(r"^pip install (onnxruntime .*)$", read("README.md"), re.MULTILINE)
    tree = ast.parse(read("setup.py"))
    extras = next(node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
                  and node.targets[0].id == "EXTRAS")
    needed = {"rich"} | {
        re.match(r"[\w-]+", need.value)[0] for key, needs in zip(extras.keys, extras.values,
                                                                strict=True)
        if key.value in ("cpu", "plants", "learn", "bags") for need in needs.elts}
    assert set(line.split()) == needed
