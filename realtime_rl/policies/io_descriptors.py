"""Isaac Lab's IO descriptors, which `--export_io_descriptors` writes beside a policy.

Its `export_IO_descriptors` writes `observations`, `actions`, `articulations` and `scene`; terms are
lists, in the order in which the network has them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from realtime_rl import yaml_loader
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.observations import ONLY
from realtime_rl.core.policy.normalizing import ACTION, Normalization
from realtime_rl.core.policy.said import Said

_GROUP = "policy"
"""Of the observations that the actor sees."""
_MOST_BYTES = 4_000_000


def read(path: Path) -> Said:
    """Read a file; `PolicyError` where it is not what Isaac Lab writes."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PolicyError(f"{str(path)!r}: has more than {_MOST_BYTES:,} bytes")
        document = yaml_loader.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"policy_descriptors: {str(path)!r} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise PolicyError(f"policy_descriptors: {str(path)!r} is no YAML: "
                          f"{' '.join(str(error).split())}") from error
    return of_document(document, str(path))


def of_document(document: object, path: str) -> Said:
    """Say what a document of IO descriptors does; errors as in `read`."""
    where = f"policy_descriptors {path!r}"
    whole = _mapping(document, where)
    observations = _mapping(whole.get("observations", {}), f"{where}: observations")
    terms = _terms(observations.get(_GROUP, []), f"{where}: observations.{_GROUP}")
    actions = _terms(whole.get("actions", []), f"{where}: actions")
    if not actions:
        raise PolicyError(f"{where}: has no list 'actions'")
    sizes = [(str(term.get("name")), _size(term, where)) for term in terms]
    normalize = {ACTION: _of_action(actions, where)}
    seen = [_values(_mapping(term.get("overloads") or {}, where).get("scale"), size, 1.0,
                    f"{where}: scale of {name!r}")
            for term, (name, size) in zip(terms, sizes, strict=True)]
    if any(value != 1.0 for each in seen for value in each):
        normalize[ONLY] = Normalization(scale=tuple(value for each in seen for value in each))
    _refuse_clipping([*terms, *actions], where)
    joints = tuple(str(name) for term in actions for name in term.get("joint_names") or ())
    step = _mapping(whole.get("scene") or {}, f"{where}: scene").get("dt", 0.0)
    period_ns = round(step * 1e9) if isinstance(step, int | float) and math.isfinite(step) else 0
    return Said(where, normalize=normalize, joints=joints, terms=tuple(sizes),
                period_ns=max(0, period_ns))


def _of_action(actions: Sequence[Mapping[str, Any]], where: str) -> Normalization:
    scale: list[float] = []
    offset: list[float] = []
    for term in actions:
        size = _size(term, where)
        scale += _values(term.get("scale"), size, 1.0, f"{where}: scale of an action")
        offset += _values(term.get("offset"), size, 0.0, f"{where}: offset of an action")
    return Normalization.of_action(tuple(scale), tuple(offset))


def _refuse_clipping(terms: Sequence[Mapping[str, Any]], where: str) -> None:
    for term in terms:
        clip = term.get("clip") or (term.get("overloads") or {}).get("clip")
        history = (term.get("overloads") or {}).get("history_length")
        if clip or history:
            what = "clip" if clip else "history_length"
            raise PolicyError(f"{where}: {term.get('name')!r} has a {what}, which is not done "
                              "here: export it within the graph, and take it out of the file")


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{where} must be a mapping, not {type(value).__name__}")
    return value


def _terms(value: object, where: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise PolicyError(f"{where} must be a list of terms, not {type(value).__name__}")
    return [_mapping(each, where) for each in value]


def _size(term: Mapping[str, Any], where: str) -> int:
    shape = term.get("shape")
    if not isinstance(shape, list) or not shape or not all(
            type(size) is int and size > 0 for size in shape):
        raise PolicyError(f"{where}: shape of {term.get('name')!r} is {shape!r}, not a list of "
                          "sizes")
    return math.prod(shape)


def _values(value: object, size: int, none: float, where: str) -> list[float]:
    if value is None:
        return [none] * size
    if isinstance(value, int | float):
        return [float(value)] * size
    if isinstance(value, list) and len(value) == size and all(
            isinstance(each, int | float) for each in value):
        return [float(each) for each in value]
    raise PolicyError(f"{where} is {value!r}, not a number or {size} of them")
