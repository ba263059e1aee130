"""YAML as ROS 2 reads its parameter files."""

from __future__ import annotations

import re
from typing import Any

import yaml


def load(text: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Read plain values; `yaml.YAMLError` where it is none, or says something twice."""
    return yaml.load(text, _Loader)  # a SafeLoader


Place = tuple[str | int, ...]
"""Of a value in a file: the keys and indices that lead to it."""
_MOST_PLACES = 100_000
_DEEPEST = 64


def load_with_lines(text: str) -> tuple[Any, dict[Place, int]]:
    """Read plain values as `load` does, and the line on which each of them begins, from 1 on."""
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Place, int] = {}
        if node is None:
            return None, lines
        _note(node, (), lines)
        return loader.construct_document(node), lines
    finally:
        loader.dispose()


def _note(node: yaml.Node, place: Place, lines: dict[Place, int]) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if len(lines) > _MOST_PLACES or len(place) > _DEEPEST:
        raise yaml.composer.ComposerError(
            None, None, f"more than {_MOST_PLACES} values, or {_DEEPEST} within each other",
            node.start_mark)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                lines[(*place, key.value)] = key.start_mark.line + 1
                _note(value, (*place, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note(value, (*place, index), lines)


class _Loader(yaml.SafeLoader):
    """Reads `3e-4` as rcl does, to PyYAML it is a string; refuses what is said twice."""

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        said: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in said:
                raise yaml.composer.ComposerError(
                    None, None, f"{key.value!r} is there twice", key.start_mark)
            said.add(str(key.value))
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"))
