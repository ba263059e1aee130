"""Rules files: the YAML that says what a game's memory means; `roms/catch.yaml` is an example."""

from __future__ import annotations

from pathlib import Path

from realtime_rl.plants.buttons import action_space, pressed
from realtime_rl.plants.ram_rules import (
    OPERATORS,
    SEED,
    START,
    TAKES,
    End,
    Hold,
    Poke,
    Reward,
    Rules,
    Watched,
)
from realtime_rl.plants.ram_values import KINDS, LAST_ADDRESS, Cell
from realtime_rl.plants.yaml_node import YamlNode

_KEYS = ("title", "sha256", "actions", "start", "settings", "pokes", "noops", "rewards", "ends",
         "observe")
_CELL = ("address", "type", "bytes")
_LONGEST_HOLD = 36_000
"""Ten minutes of frames: what is more is a mistake, and would take long."""


def load_rules(path: Path) -> Rules:
    """Read a rules file; `PlantError` names the file, the key, the value and what is allowed."""
    top = YamlNode.load(path, _KEYS)
    actions = top.texts("actions")
    if "actions" in top:
        with top.at("actions"):
            action_space(actions)
    return Rules(
        source=str(path),
        title=top.text("title", None),
        sha256=top.text("sha256", None),
        actions=actions,
        start=tuple(map(_hold, top.nodes("start", ("press", "frames")))) or START,
        settings={name: _poke(node, "default")
                  for name, node in top.named("settings", (*_CELL, "default")).items()},
        pokes=tuple(_poke(node, "value") for node in top.nodes("pokes", (*_CELL, "value"))),
        noops=_noops(top),
        rewards=tuple(map(_reward, top.nodes("rewards", (*_CELL, "take", "weight")))),
        ends=tuple(map(_end, top.nodes("ends", (*_CELL, "op", "value")))),
        observe={name: _watched(node)
                 for name, node in top.named("observe", (*_CELL, "low", "high")).items()})


def _noops(top: YamlNode) -> tuple[int, int]:
    counts = top.items("noops") or [0, 0]
    match counts:
        case [int(least), int(most)] if 0 <= least <= most:
            return least, most
    raise top.error("noops", counts, "two integers, the least and the most")


def _cell(node: YamlNode) -> Cell:
    kind = node.choice("type", KINDS)
    address = node.integer("address", 0, LAST_ADDRESS)
    size = node.integer("bytes", 1, 8) if "bytes" in node else None
    with node.at("address"):
        return Cell.of(address, kind, size)


def _poke(node: YamlNode, key: str) -> Poke:
    cell = _cell(node)
    value = None if node.value(key) == SEED else node.integer(key, cell.low, cell.high)
    with node.at("address"):
        return Poke(cell, value)


def _reward(node: YamlNode) -> Reward:
    return Reward(_cell(node), node.choice("take", TAKES, TAKES[0]), node.number("weight", 1.0))


def _end(node: YamlNode) -> End:
    cell = _cell(node)
    return End(cell, node.choice("op", OPERATORS), node.integer("value", cell.low, cell.high))


def _watched(node: YamlNode) -> Watched:
    cell = _cell(node)
    low, high = (node.integer(key, cell.low, cell.high) for key in ("low", "high"))
    with node.at("low"):
        return Watched(cell, low, high)


def _hold(node: YamlNode) -> Hold:
    label = node.text("press", "NOOP")
    with node.at("press"):
        pressed(label)
    return Hold(label, node.integer("frames", 1, _LONGEST_HOLD))
