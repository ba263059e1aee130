"""Writes the generated parts of README.md, and CHANGELOG.rst, anew: `make docs`. Tests compare."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from realtime_rl.core import enumerations, types
from realtime_rl.core.messages import records
from realtime_rl.core.messages.topics import SERVICES, TOPICS, Topic
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import markdown_table
from realtime_rl.core.settings.coordinator import CoordinatorParameters
from realtime_rl.core.settings.inference import InferenceParameters

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PARAMETERS = {
    "scenario (not a node: the run as a whole)": p.Scenario, "plant": p.PlantParameters,
    "inference": InferenceParameters, "coordinator": CoordinatorParameters,
    "actuator": p.ActuatorParameters, "learner": p.LearnerParameters,
    "monitor": p.MonitorParameters, "recorder": p.RecorderParameters}
RECORDS = {"timestep": "Timestep", "verdict": "Verdict", "inference": "Inference",
           "schedule": "ScheduleRecord", "learning": "Learning", "origin": "CommandOrigin"}
ENUMS = {"cause": (types, "Cause"), **{
    scalar: (enumerations, name) for scalar, name in (
        ("fate", "Fate"), ("reason", "Reason"), ("miss", "Miss"), ("algorithm", "Algorithm"),
        ("dealing", "Dealing"), ("slot_source", "SlotSource"))}}


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
        fields = "; ".join(f"`{field}`" + (f" ({text.rstrip('.')})" if text else "")
                           for field, text in described(records, name).items()
                           if field != "stamp_ns")
        parts.append(f"- **{topic}**: {fields}")
    return "\n".join(parts)


def enums() -> str:
    lines = ["| scalar | value | meaning |", "|---|---|---|"]
    for scalar, (module, name) in ENUMS.items():
        for member, text in described(module, name).items():
            value = int(getattr(module, name)[member])
            lines.append(f"| `{scalar}` | {value} {member.lower()} | {text} |")
    return "\n".join(lines)


def parameters() -> str:
    return "\n\n".join(f"<details><summary><b>{name}</b></summary>\n\n{markdown_table(kind)}\n\n"
                       "</details>" for name, kind in PARAMETERS.items())


PARTS = {"topics": topics, "layouts": layouts, "enums": enums, "parameters": parameters}


def generated(text: str) -> str:
    """Return `text` with every generated part written anew."""
    for name, make in PARTS.items():
        pattern = re.compile(rf"(<!-- generated: {name} -->\n)(?:.*?\n)??(<!-- end -->)", re.DOTALL)
        text, count = pattern.subn(lambda m, make=make: m[1] + make() + "\n" + m[2], text)
        if count != 1:
            raise SystemExit(f"README.md: the part '<!-- generated: {name} -->' is missing")
    return text


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
    (ROOT / "CHANGELOG.rst").write_text(
        bloom_changelog((ROOT / "CHANGELOG.md").read_text(encoding="utf-8")), encoding="utf-8")
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
