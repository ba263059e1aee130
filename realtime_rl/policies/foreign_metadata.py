"""Metadata of other makers' exporters, where they are well known.

exploy writes JSON by key (its `control/include/exploy/metadata.hpp`); mjlab and whole_body_tracking
write lists with commas (`rl/exporter_utils.py`, `utils/exporter.py`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy import normalizing
from realtime_rl.core.policy.normalizing import ACTION, Normalization
from realtime_rl.core.policy.said import Said

_MJLAB = ("action_scale", "default_joint_pos", "joint_names")
_EXPLOY = ("exploy_version", "update_rate")
_JOINT_TARGETS = "output.joint_targets."


def read(props: Mapping[str, str], outputs: Iterable[str]) -> list[Said]:
    """Return what is said in forms of other makers; `PolicyError` where one is broken.

    Args:
        props: of an ONNX file.
        outputs: names of its outputs.
    """
    found = []
    if all(key in props for key in _MJLAB[:2]):
        found.append(_mjlab(props))
    if any(key in props for key in _EXPLOY):
        found.append(_exploy(props, outputs))
    return found


def _mjlab(props: Mapping[str, str]) -> Said:
    """A joint's target is `default_joint_pos + action_scale * output`."""
    source = "its metadata (mjlab)"
    scale, offset = (normalizing.numbers(props[key], f"{source}: {key}") for key in _MJLAB[:2])
    names = tuple(filter(None, props.get("joint_names", "").split(",")))
    if len(names) != len(offset):
        raise PolicyError(f"{source}: {len(names)} joint_names, {len(offset)} of default_joint_pos")
    return Said(source, normalize={ACTION: Normalization.of_action(scale, offset)}, joints=names)


def _exploy(props: Mapping[str, str], outputs: Iterable[str]) -> Said:
    """The outputs are targets in the robot's units; `actions` is the network's own beside them."""
    source = "its metadata (exploy)"
    period_ns = 0
    if "update_rate" in props:
        rate = _json(source, "update_rate", props)
        if not isinstance(rate, int | float) or not (math.isfinite(rate) and rate > 0):
            raise PolicyError(f"{source}: update_rate {rate!r} is no rate [Hz]")
        period_ns = round(1e9 / rate)
    groups = [key for key in props if key.startswith(_JOINT_TARGETS)]
    targets = [name for name in outputs if any(name == f"{key}.pos" for key in groups)]
    if len(groups) != 1 or len(targets) != 1:
        return Said(source, period_ns=period_ns)
    about = _json(source, groups[0], props)
    names = about.get("names") if isinstance(about, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise PolicyError(f"{source}: {groups[0]!r} has no list 'names'")
    return Said(source, output=targets[0], joints=tuple(names), period_ns=period_ns)


def _json(source: str, key: str, props: Mapping[str, str]) -> object:
    try:
        return json.loads(props[key])
    except ValueError as error:
        raise PolicyError(f"{source}: {key!r} is no JSON: {error}") from error
