"""Every command and every block of README and the pages runs, or says what it needs."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints, is_typeddict

import pytest
import synthetic
from blocks import Block, blocks, check_command, run
from plants_conformance import PlantConformance

from docs import generate
from realtime_rl.core.figures import schema

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"bash", "python", "yaml", "toml", "text"}
LIBRARIES = {"torch": "torch", "onnx": "onnx", "rosbags": "rosbags", "pyboy": "pyboy"}
"""What a block may need that not every environment of the tests has, by what stands in it."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT)).removeprefix("docs/")


def of(page: Path) -> list[Block]:
    return blocks(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if of(page)], ids=name_of)
def test_every_command_is_one(page: Path) -> None:
    for block in of(page):
        assert block.language in LANGUAGES
        for words in block.commands:
            check_command(words)


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "first"
    return synthetic.write(folder, synthetic.make(synthetic.Scenario(ticks=200)))


def runs(block: Block) -> bool:
    return not block.needs and block.language != "text"


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(runs, of(page)))], ids=name_of)
def test_blocks_run_in_their_order(page: Path, bag: Path, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "first").symlink_to(bag)
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    before = set(sys.modules)
    names: dict[str, object] = {}
    for block in filter(runs, of(page)):
        for word, library in LIBRARIES.items():
            if word in block.text:
                pytest.importorskip(library)
        run(block, tmp_path, names)
    for each in set(sys.modules) - before:  # modules of this page, not of the next
        if (tmp_path / f"{each}.py").exists():
            del sys.modules[each]


def _cart() -> dict[str, object]:
    text = next(block.text for block in of(ROOT / "docs" / "how-to" / "plant.md")
                if block.file == "cart.py")
    names: dict[str, object] = {"__name__": "cart"}
    exec(compile(text, "cart.py", "exec"), names)
    return names


class TestPlantOfThePage(PlantConformance):
    names = _cart()

    def make_plant(self, seed: int) -> object:
        return self.names["CartPlant"](self.names["CartOptions"](), seed)


def test_every_argument_of_the_command_line_has_a_name_and_says_what_it_is() -> None:
    rows = [line for line in generate.command_line().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |") or row.startswith("| `None`")] == []


def keys(group: type) -> Iterator[str]:
    for name, hint in get_type_hints(group).items():
        yield name
        for each in (hint, *get_args(hint)):
            if isinstance(each, type) and is_typeddict(each):
                yield from keys(each)


def test_every_figure_of_a_report_is_explained() -> None:
    page = (ROOT / "docs" / "reference" / "report.md").read_text(encoding="utf-8")
    assert [name for name in keys(schema.RunFigures) if f"`{name}`" not in page] == ["schema"]


def test_a_block_says_what_it_needs() -> None:
    first, second, third = blocks("""
```bash title="needs: a robot"
realtime-rl run --config catch \\
    --duration 3   # comment
```
```python title="cart.py"
pass
```
```yaml
a: 1
```
""")
    assert (first.needs, second.needs, third.needs) == ("a robot", "", "")
    assert (first.file, second.file, third.file) == ("", "cart.py", "")
    assert list(first.commands) == [["run", "--config", "catch", "--duration", "3"]]


@pytest.mark.parametrize("words", [["run", "--confg", "catch"], ["fly"], ["plan", "--seed", "x"]])
def test_a_command_that_is_none_is_found(words: list[str]) -> None:
    with pytest.raises(AssertionError):
        check_command(words)


def test_a_parameter_that_is_none_is_found() -> None:
    with pytest.raises(Exception, match="unknown parameter"):
        check_command(["run", "--config", "catch", "--set", "scenario.worker=3"])


def test_a_block_of_other_commands_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="say what it needs"):
        run(Block("bash", "", "rm -rf runs\n"), tmp_path, {})
