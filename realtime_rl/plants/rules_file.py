"""Rules files: the YAML that says what a game's memory means; `docs/reference/rules.md` has all."""

from __future__ import annotations

from pathlib import Path

from realtime_rl.plants.buttons import action_space
from realtime_rl.plants.ram_rules import SEED, START, Equal, KnownRom, Poke, Rules, Watched
from realtime_rl.plants.ram_values import Cell
from realtime_rl.plants.rule_parts import RuleParts
from realtime_rl.plants.rule_values import MOST_ELEMENTS
from realtime_rl.plants.start_file import start_of
from realtime_rl.plants.symbols import Symbols
from realtime_rl.plants.value_parts import ARRAY, CELL, ValueParts
from realtime_rl.plants.yaml_node import YamlNode

_KEYS = ("title", "sha256", "roms", "about", "how", "symbols", "actions", "start", "ready",
         "states", "settings", "pokes", "noops", "episode_ticks", "frame_skip", "crop",
         "rewards", "ends", "counters", "observe")
_WIDTH, _HEIGHT = 160, 144
_MOST_SKIPPED = 60
_LONGEST_EPISODE = 2**31
REQUIRED = "required"
"""In place of the list of `states`: the user has to bring some."""


def load_rules(path: Path) -> Rules:
    """Read a rules file; `PlantError` says its line, the key, the value and what is allowed."""
    top = YamlNode.load(path, _KEYS)
    values = ValueParts(_symbols(top))
    parts = RuleParts(values)
    actions = top.texts("actions")
    if "actions" in top:
        with top.at("actions"):
            action_space(actions)
    counters = parts.counters(top)
    return Rules(
        source=str(path),
        title=top.text("title", None),
        sha256=top.text("sha256", None),
        roms=tuple(_rom(node) for node in top.nodes("roms", ("title", "checksum", "name"))),
        about=top.text("about", ""),
        how=top.text("how", ""),
        actions=actions,
        start=start_of(top, parts) or START,
        ready=parts.conditions_at(top, "ready", events=False),
        states=_states(top),
        needs_state=top.value("states") == REQUIRED,
        settings={name: _poke(node, "default", values)
                  for name, node in top.named("settings", (*CELL, "default")).items()},
        pokes=tuple(_poke(node, "value", values) for node in top.nodes("pokes", (*CELL, "value"))),
        noops=top.pair("noops", (0, 0)),
        episode_ticks=_integer(top, "episode_ticks", 0, _LONGEST_EPISODE, 0),
        frame_skip=_integer(top, "frame_skip", 1, _MOST_SKIPPED, 1),
        crop=_crop(top),
        rewards=parts.rewards(top),
        ends=parts.ends(top),
        counters=counters,
        observe=dict(item for name, node in top.named(
            "observe", (*CELL, *ARRAY, "low", "high", "one_of")).items()
            for item in _observed(name, node, values)))


def _symbols(top: YamlNode) -> Symbols:
    name = top.text("symbols", None)
    if name is None:
        return Symbols()
    with top.at("symbols"):
        return Symbols.load(top.folder / Path(name).expanduser())


def _rom(node: YamlNode) -> KnownRom:
    title = node.needed("title")
    return KnownRom(title, node.integer("checksum", 0, 255), node.text("name", title))


def _integer(top: YamlNode, key: str, low: int, high: int, default: int) -> int:
    return top.integer(key, low, high) if key in top else default


def _states(top: YamlNode) -> tuple[Path, ...]:
    if top.value("states") == REQUIRED:
        return ()
    return tuple(top.folder / Path(name).expanduser() for name in top.texts("states"))


def _crop(top: YamlNode) -> tuple[int, int, int, int] | None:
    if "crop" not in top:
        return None
    match top.items("crop"):
        case [int(left), int(up), int(width), int(height)] if (
                left >= 0 and up >= 0 and width > 0 and height > 0
                and left + width <= _WIDTH and up + height <= _HEIGHT):
            return left, up, width, height
    raise top.error("crop", top.value("crop"),
                    f"left, top, width and height within {_WIDTH} x {_HEIGHT} px")


def _poke(node: YamlNode, key: str, values: ValueParts) -> Poke:
    cell = values.cell(node)
    if cell.bits:
        raise node.refused("count_bits", "a number of bits cannot be written")
    value = None if node.value(key) == SEED else node.integer(key, cell.low, cell.high)
    if cell.mask != -1 and (value is None or value & ~cell.mask):
        raise node.error(key, node.value(key), f"bits of the mask {cell.mask:#x}")
    with node.at("address"):
        return Poke(cell, value)


def _observed(name: str, node: YamlNode, values: ValueParts
              ) -> list[tuple[str, Watched | Equal]]:
    """Return the elements that a value is shown as, each with a name of its own."""
    cells: list[tuple[str, Cell]] = [(name, values.cell(node))]
    if "count" in node:
        count, stride = values.shape(node)
        cells = [(f"{name}.{index}", cells[0][1].moved(index * stride)) for index in range(count)]
    if "one_of" in node:
        if "low" in node or "high" in node:
            raise node.refused("one_of", "a value has either one_of, or low and high")
        wanted = values.integers(node, "one_of", cells[0][1].low, cells[0][1].high)
        if len(set(wanted)) != len(wanted) or not 2 <= len(wanted) <= MOST_ELEMENTS:
            raise node.error("one_of", list(wanted), "two or more different values")
        return [(f"{of}={value}", Equal(cell, value)) for of, cell in cells for value in wanted]
    low, high = (node.integer(key, cells[0][1].low, cells[0][1].high) for key in ("low", "high"))
    with node.at("low"):
        return [(of, Watched(cell, low, high)) for of, cell in cells]
