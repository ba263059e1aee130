"""Writes anew what pages take from code and data, and CHANGELOG.rst: `make docs`. Tests compare."""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from docs import claims
from docs import layouts as layouts_of_viewers
from realtime_rl.cli.main import parser
from realtime_rl.core import enumerations, types
from realtime_rl.core.messages import records
from realtime_rl.core.messages.topics import SERVICES, TOPICS, Topic
from realtime_rl.core.robot import contract_choices, message_types, sections
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import Parameter
from realtime_rl.core.settings.config import parameters as parameters_of
from realtime_rl.core.settings.coordinator import CoordinatorParameters
from realtime_rl.core.settings.inference import InferenceParameters

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PARAMETERS = {
    "scenario": p.Scenario, "plant": p.PlantParameters, "inference": InferenceParameters,
    "coordinator": CoordinatorParameters, "actuator": p.ActuatorParameters,
    "learner": p.LearnerParameters, "monitor": p.MonitorParameters,
    "recorder": p.RecorderParameters}
RECORDS = {"timestep": "Timestep", "verdict": "Verdict", "inference": "Inference",
           "schedule": "ScheduleRecord", "learning": "Learning", "origin": "CommandOrigin",
           "robot": "RobotRecord"}
ENUMS = {"cause": (types, "Cause"), **{
    scalar: (enumerations, name) for scalar, name in (
        ("fate", "Fate"), ("reason", "Reason"), ("miss", "Miss"), ("algorithm", "Algorithm"),
        ("dealing", "Dealing"), ("slot_source", "SlotSource"), ("phase", "Phase"),
        ("stopped_by", "StopCause"))}}
CONTRACT = {
    "robot": sections.Robot, "observation.PART": sections.Part, "source.NAME": sections.Source,
    "source.NAME.image": sections.Image, "action.NAME": sections.Action,
    "limits.ELEMENT": sections.Limit, "start": sections.Start, "reward.NAME": sections.Reward,
    "episode": sections.Episode, "deadman": sections.Deadman, "estop": sections.Estop}
"""Sections of a robot's contract."""
CHOICES = {"align": "Align", "on_stale": "OnStale", "stamps": "Stamps", "mode": "Mode",
           "default and on_stop": "Behaviour", "on_end": "OnEnd", "limits.policy": "Excess"}
TEXTS = {"plant", "node", "provider", "emulated", "exploration", "counted"}
"""Fields that are texts, in `header.frame_id`."""
LISTS = {"action", "active", "sent", "measured", "limited", "ages_s", "repeated", "counters"}
"""Fields of several values, at the end of a record."""


def described(module: object, name: str) -> dict[str, str]:
    """Members of a class with the docstrings that stand below them (empty where none does)."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body
                if isinstance(node, ast.ClassDef) and node.name == name)
    found: dict[str, str] = {}
    newest = ""
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            newest = target.id
            found[newest] = ""
        elif newest and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[newest] = " ".join(str(node.value.value).split())
    return found


def topics() -> str:
    def row(topic: Topic) -> str:
        kinds = " or ".join(f"`{kind}`" for kind in topic.types)
        return f"| `{topic.name}` | {kinds} | {topic.publisher} | {topic.qos} | {topic.what} |"

    return "\n".join(["| topic | type | from | QoS | what it carries |", "|---|---|---|---|---|",
                      *map(row, TOPICS), "",
                      "| service | type | of | | what it does |", "|---|---|---|---|---|",
                      *map(row, SERVICES)])


def layouts() -> str:
    parts = []
    for topic, name in RECORDS.items():
        lines = [f"### {topic}", "", "| place | field | meaning |", "|---|---|---|"]
        place = 0
        fields = described(records, name)
        listed = [field for field in fields if field in LISTS]
        for field in [*(field for field in fields if field not in LISTS), *listed]:
            text = fields[field]
            if field == "stamp_ns":
                lines.append(f"| `header.stamp` | | {text.replace(' [ns]', '')} |")
            elif field in TEXTS:
                lines.append(f"| `header.frame_id` | `{field}` | {text} |")
            elif field in LISTS:
                begins = f"{place}, …" if field == listed[0] else "then"
                lines.append(f"| {begins} | `{field}.0`, … | {text} |")
            else:
                lines.append(f"| {place} | `{field}` | {text} |")
                place += 1
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def enums() -> str:
    parts = []
    for scalar, (module, name) in ENUMS.items():
        lines = [f"## {scalar}", "", "| value | name | meaning |", "|---|---|---|"]
        lines += [f"| {int(getattr(module, name)[member])} | `{member.lower()}` | {text} |"
                  for member, text in described(module, name).items()]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def parameters() -> str:
    return "\n\n".join(f"## {name}\n\n{parameter_table(kind)}"
                       for name, kind in PARAMETERS.items())


def parameter_table(kind: type) -> str:
    lines = ["| parameter | what it is | type | default | range | live |",
             "|---|---|---|---|---|---|"]
    for item in parameters_of(kind).values():
        lines.append(f"| `{item.name}` | {item.description} | {item.type_name} | {_default(item)} "
                     f"| {item.range_text} | {'yes' if item.live else ''} |")
    return "\n".join(lines)


def _default(item: Parameter) -> str:
    unit = f" {item.unit}" if item.unit else ""
    default = list(item.default) if isinstance(item.default, tuple) else item.default
    shown = str(default).lower() if isinstance(default, bool) else default
    return "empty" if shown in ("", []) else f"`{shown!s}`{unit}"


def contract() -> str:
    """Every key of a robot's contract."""
    parts = []
    for name, kind in CONTRACT.items():
        lines = [f"## {name.partition('.')[0] if name.count('.') == 1 else name}", "",
                 "" if name == "robot" else f"Keys of `{name}`.", "",
                 "| key | what it is | default | range |", "|---|---|---|---|"]
        lines += [f"| `{item.name}` | {item.description} | {_default(item)} | {item.range_text} |"
                  for item in parameters_of(kind).values()]
        parts.append("\n".join(lines).replace("\n\n\n", "\n"))
    return "\n\n".join(parts)


def contract_words() -> str:
    """What the words mean that a key of a contract may have."""
    lines = ["| key | word | meaning |", "|---|---|---|"]
    lines += [f"| `{key}` | `{member.lower()}` | {text} |" for key, name in CHOICES.items()
              for member, text in described(contract_choices, name).items()]
    return "\n".join(lines)


def contract_types() -> str:
    """Types of messages that sources and actions may have."""
    lines = ["| type | source | action |", "|---|---|---|"]
    lines += [f"| `{name}` | {'yes' if name in message_types.SOURCES else ''} "
              f"| {'yes' if name in message_types.ACTIONS else ''} |"
              for name in sorted({*message_types.SOURCES, *message_types.ACTIONS})]
    return "\n".join(lines)


def command_line() -> str:
    return "\n\n".join(_verb(each) for each in _leaves(parser()))


def _leaves(each: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Every verb's parser, its own verbs' after it."""
    for action in each._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield verb
                yield from _leaves(verb)


def _verb(each: argparse.ArgumentParser) -> str:
    lines = [f"## {each.prog.removeprefix('realtime-rl ')}", "", (each.description or "").strip(),
             ""]
    rows = [_argument(each, action) for action in each._actions
            if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)]
    if rows:
        lines += ["| argument | default | what it is |", "|---|---|---|", *rows, ""]
    if each.epilog:
        lines += ["```text", each.epilog.strip(), "```"]
    return "\n".join(lines).rstrip()


def _argument(each: argparse.ArgumentParser, action: argparse.Action) -> str:
    shown = ("{" + ",".join(map(str, action.choices)) + "}" if action.choices
             else action.metavar or action.dest.upper())
    value = "" if action.nargs == 0 else f" {shown}"
    name = ", ".join(f"`{option}{value}`" for option in action.option_strings) or f"`{shown}`"
    said = action.help and each._get_formatter()._expand_help(action)
    default = ("required" if action.required and action.option_strings else
               "" if action.default in (None, False, []) else f"`{action.default}`")
    cells = (cell.replace("|", "\\|") for cell in (name, default, said or ""))
    return f"| {' | '.join(cells)} |"


PARTS: dict[str, Callable[[], str]] = {
    "topics": topics, "layouts": layouts, "enums": enums, "parameters": parameters,
    "command line": command_line, "contract": contract, "contract words": contract_words,
    "contract types": contract_types}
_PART = re.compile(r"(<!-- (generated|table): (.+?) -->\n)(?:.*?\n)??(<!-- end -->)", re.DOTALL)


def generated(text: str) -> str:
    """Return a page with every part written anew that comes from code or data."""
    def anew(match: re.Match[str]) -> str:
        made = (PARTS[match[3]]() if match[2] == "generated"
                else claims.table(claims.sources()[match[3]]))
        return f"{match[1]}\n{made}\n\n{match[4]}"

    return _PART.sub(anew, text)


def pages() -> dict[Path, str]:
    """Return every file that is made from others, as it should be."""
    found = {path: generated(path.read_text(encoding="utf-8"))
             for path in sorted(DOCS.rglob("*.md"))}
    return {**found, **layouts_of_viewers.files(), DOCS / claims.PAGE: claims.page(),
            ROOT / "CHANGELOG.rst": bloom_changelog(
                (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))}


def _rst(line: str) -> str:
    """Return a line of Markdown as one of reStructuredText."""
    line = re.sub(r"`([^`]+)`(?=(\w)?)", lambda m: f"``{m[1]}``" + (r"\ " if m[2] else ""), line)
    return re.sub(r"\[([^]]+)\]\(([^)]+)\)", r"`\1 <\2>`__", line)


def bloom_changelog(text: str) -> str:
    """Return CHANGELOG.md in the form that ROS's release tool reads, as CHANGELOG.rst."""
    title = "Changelog for package realtime_rl"
    lines = ["^" * len(title), title, "^" * len(title), ""]
    for line in text[text.index("## "):].splitlines():
        release = re.fullmatch(r"## \[(.+?)\](?: - (\S+))?", line)
        if release:
            name = "Forthcoming" if release[1] == "Unreleased" else f"{release[1]} ({release[2]})"
            lines += [name, "-" * len(name)]
        elif line.startswith("### "):
            lines.append(f"{line.removeprefix('### ')}:\n")
        else:
            lines.append(_rst(re.sub(r"^- ", "* ", line)))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))
    sys.exit(0)
