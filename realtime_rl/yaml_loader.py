"""YAML as ROS 2 reads its parameter files."""

from __future__ import annotations

import re
from typing import Any

import yaml


def load(text: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Read plain values; `yaml.YAMLError` where it is none, or says something twice."""
    return yaml.load(text, _Loader)  # a SafeLoader


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
