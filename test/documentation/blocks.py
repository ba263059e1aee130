"""The code blocks of a page, run as a reader would run them: in order, in one folder."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from realtime_rl.cli.main import main, parser
from realtime_rl.plants.rules_file import load_rules
from realtime_rl.ros.scenario_file import read_settings
from realtime_rl.ros.scenario_settings import ROBOT, contract_of, override
from realtime_rl.simulate.sweep import parts_of

_FENCE = re.compile(r'^ *```(\w+)(?: title="(.*?)")?\n(.*?)^ *```$', re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"[\w.-]+\.(?:yaml|toml|py)")
_OURS = re.compile(r"(?:^|&&|\s)((?:\S*/)?realtime-rl\s.*)")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    title: str
    text: str

    @property
    def needs(self) -> str:
        """What it needs beside the package, so that no test runs it; empty: a test does."""
        return self.title.removeprefix("needs:").strip() if self.title.startswith("needs:") else ""

    @property
    def file(self) -> str:
        """The name of the file that it is; empty: it is none."""
        return self.title if _FILE.fullmatch(self.title) else ""

    @property
    def commands(self) -> Iterator[list[str]]:
        """Its commands of ours, as words."""
        for line in self.text.replace("\\\n", " ").splitlines():
            found = _OURS.search(line)
            if self.language == "bash" and found and not line.lstrip().startswith("#"):
                yield _until_the_next(shlex.split(found[1], comments=True))


def _until_the_next(words: list[str]) -> list[str]:
    ends = [index for index, word in enumerate(words) if word in ("|", "&&", ";", ">", "&")]
    return words[1:min(ends, default=len(words))]


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page."""
    return [Block(*match) for match in _FENCE.findall(text)]


def check_command(words: list[str]) -> None:
    """Fail for a command that the command line does not take, or a parameter that is none."""
    try:
        args = parser().parse_args(words)
    except SystemExit as ended:
        assert not ended.code, f"realtime-rl {shlex.join(words)}"
        return
    for word in getattr(args, "set", []):
        if args.verb in ("run", "bench"):
            override({}, [word])


def run(block: Block, folder: Path, names: dict[str, object]) -> None:
    """Run a block in `folder`, which is the working directory; Python with the names before it."""
    if block.file:
        (folder / block.file).write_text(block.text, encoding="utf-8")
        if block.language == "python":
            runpy.run_path(str(folder / block.file))
        elif block.language == "yaml":
            _check_yaml(folder / block.file)
    elif block.language == "python":
        exec(compile(block.text, "<a page>", "exec"), names)
    elif block.language == "bash":
        commands = list(block.commands)
        assert len(commands) == _lines(block.text), f"say what it needs: {block.text}"
        for words in commands:
            assert main(words) == 0, words


def _lines(text: str) -> int:
    return sum(1 for line in text.replace("\\\n", " ").splitlines()
               if line.strip() and not line.startswith("#"))


def _check_yaml(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "parts" in content:
        parts_of(content, source=str(path))
    elif "rewards" in content:
        load_rules(path)
    else:
        settings = read_settings(path).settings
        if ROBOT in settings:
            contract_of(settings)
