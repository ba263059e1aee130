"""README.md and the pages tell the truth about the code, and what is made from others is fresh."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from docs import generate
from realtime_rl.core.settings.config import parameter

ROOT = Path(__file__).resolve().parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_what_is_made_from_code_and_data_is_fresh() -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in generate.pages().items()
             if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run: make docs"


@pytest.mark.parametrize("part", generate.PARTS)
def test_every_part_that_the_code_tells_stands_on_one_page(part: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in generate.DOCS.rglob("*.md"))
    assert text.count(f"<!-- generated: {part} -->") == 1


def test_a_part_is_written_anew() -> None:
    begin, end = "before\n<!-- generated: topics -->\n", "<!-- end -->\nafter\n"
    made = generate.generated(f"{begin}old\n{end}")
    assert made == f"{begin}\n{generate.topics()}\n\n{end}"
    assert generate.generated(made) == made


@dataclass(frozen=True)
class Robot:
    """A configuration."""

    speed: float = parameter(0.5, "how fast", unit="m/s", low=0.0, high=2.0)
    brake: bool = parameter(True, "whether it brakes", live=True)
    tags: tuple[str, ...] = parameter(("a", "b"), "what it is")
    name: str = parameter("", "how it is called")


def test_a_table_of_parameters() -> None:
    assert generate.parameter_table(Robot).splitlines()[2:] == [
        "| `speed` | how fast | double | `0.5` m/s | 0 … 2 |  |",
        "| `brake` | whether it brakes | bool | `true` |  | yes |",
        "| `tags` | what it is | string array | `['a', 'b']` |  |  |",
        "| `name` | how it is called | string | empty |  |  |"]


def test_the_command_line_is_told_with_defaults() -> None:
    told = generate.command_line()
    assert "## bench stagger" in told
    assert "| `--handover TIME` | `2ms` |" in told


def test_the_readme_is_short() -> None:
    assert len(read("README.md").split()) <= 1200


@pytest.mark.parametrize("page", ["README.md", *(
    str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md")))])
def test_prose_is_wrapped(page: str) -> None:
    text = re.sub(r"^(```).*?^\1|<!-- (generated|table):.*?<!-- end -->", "", read(page),
                  flags=re.DOTALL | re.MULTILINE)
    long = [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]
    assert long == [] or page.endswith("claims.md")


@pytest.mark.parametrize("name", sorted(
    str(path.relative_to(ROOT)) for folder in (
        ".", "policies", "roms/catch", "roms/blocks", "roms/rehearsal")
    for path in (ROOT / folder).glob("*.md")))
def test_links_of_files_beside_the_site_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", read(name)):
        assert (ROOT / name).parent.joinpath(target).exists(), target


def test_both_changelogs_say_the_same() -> None:
    made = generate.bloom_changelog(read("CHANGELOG.md"))
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
    assert generate.bloom_changelog(text).split("\n\n", 1)[1] == r"""Forthcoming
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
        changelog.Changelog("realtime_rl"), generate.bloom_changelog(text))
    (version, date, content), = found.foreach_version()
    assert (version, date.year) == ("0.1.0", 2026)
    assert content


def test_what_pip_is_to_install_beside_ros_is_what_the_extras_need() -> None:
    line, = re.findall(r"^pip install (onnxruntime .*)$", read("docs/how-to/ros2.md"),
                       re.MULTILINE)
    tree = ast.parse(read("setup.py"))
    extras = next(node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
                  and node.targets[0].id == "EXTRAS")
    needed = {"rich"} | {
        re.match(r"[\w-]+", need.value)[0] for key, needs in zip(extras.keys, extras.values,
                                                                strict=True)
        if key.value in ("cpu", "plants", "learn", "bags") for need in needs.elts}
    assert set(line.split()) == needed
