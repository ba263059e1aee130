"""How a rules file says the way from power-on to the start of an episode."""

from __future__ import annotations

from realtime_rl.plants.buttons import NOOP, pressed
from realtime_rl.plants.ram_rules import Hold, Step, Until, Wait
from realtime_rl.plants.rule_parts import RuleParts
from realtime_rl.plants.yaml_node import YamlNode

_LONGEST = 36_000
"""Ten minutes of frames: what is more is a mistake, and would take long."""
_PRESSED = 4
_LIMIT = 3_600


def start_of(top: YamlNode, parts: RuleParts) -> tuple[Step, ...]:
    """Read the list `start`; empty where there is none."""
    return tuple(_step(node, parts)
                 for node in top.nodes("start", ("press", "frames", "until", "limit", "wait")))


def _step(node: YamlNode, parts: RuleParts) -> Step:
    if "wait" in node:
        node.of(("wait",))
        return Wait(*node.pair("wait", (0, 0), most=_LONGEST))
    label = node.text("press", NOOP)
    with node.at("press"):
        pressed(label)
    condition = parts.conditions_at(node, "until", events=False)
    if condition is None:
        node.of(("press", "frames"))
        return Hold(label, node.integer("frames", 1, _LONGEST))
    frames = node.integer("frames", 1, _LONGEST) if "frames" in node else _PRESSED
    limit = node.integer("limit", 1, _LONGEST) if "limit" in node else _LIMIT
    return Until(condition, label, frames, limit)
