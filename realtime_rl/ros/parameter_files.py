"""ROS 2 parameter files: which sections one has, and whose they are.

As rcl reads them: a section is named by a node, with or without its namespace, as one word or
nested, `*` standing for one part of a name and `**` for any number of them; parameters may be
nested, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from realtime_rl import yaml_loader
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages import names
from realtime_rl.core.settings.config import Value

_KEY = "ros__parameters"
_EVERYWHERE = "/**"
_WILDCARDS = ("*", "**")


@dataclass(frozen=True, slots=True)
class Section:
    """What a file says of one node, or of several by wildcards."""

    name: str
    """With its namespace, as `/robot1/plant`, `/*/plant` or `/**`."""
    values: dict[str, object]
    """By name; nested ones as `a.b`."""

    @property
    def node(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """What stands before it, as `robot1`; empty: nothing."""
        return self.name.rpartition("/")[0].strip("/")

    @property
    def general(self) -> bool:
        """Whether it is of any node, whatever its name."""
        return self.node in _WILDCARDS

    def is_in(self, namespace: str) -> bool:
        """Whether it stands in a namespace, or deeper; nothing stands in none."""
        return bool(namespace) and f"{self.namespace}/".startswith(f"{namespace}/")

    def is_of(self, namespace: str, node: str) -> bool:
        """Whether it is of a node in a namespace; one without a namespace is of any."""
        if not self.namespace and not self.general:
            return self.node == node
        pattern = re.escape(self.name).replace(r"/\*\*", r"(/\w+)*").replace(r"/\*", r"/\w+")
        return re.fullmatch(pattern, f"/{namespace}/{node}".replace("//", "/")) is not None


def read(path: Path) -> list[Section]:
    """Read a file's sections in its order, in which a later one goes before an earlier one.

    `ConfigError` names the file, and the place where it is none.
    """
    try:
        content = yaml_loader.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = str(error).replace("\n", " ")
        raise ConfigError(f"{path}: not a YAML file: {line}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: not a ROS 2 parameter file (section: ros__parameters: …)")
    try:
        return list(_sections("", content))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _sections(prefix: str, content: Mapping[object, object]) -> Iterator[Section]:
    for key, body in content.items():
        name = "/".join(["", *(part for part in f"{prefix}/{key}".split("/") if part)])
        if not isinstance(body, dict) or not body:
            raise ConfigError(f"{(prefix[1:] or str(key))!r} has no '{_KEY}:' with values")
        for part in name.split("/")[1:]:
            problem = None if part in _WILDCARDS else names.node_problem(part)
            if problem is not None:
                raise ConfigError(problem)
        if _KEY in body:
            values = body[_KEY]
            if not isinstance(values, dict):
                raise ConfigError(f"{str(key)!r} has no '{_KEY}:' with values")
            yield Section(name, dict(_flat("", values)))
        yield from _sections(name, {inner: each for inner, each in body.items() if inner != _KEY})


def _flat(prefix: str, values: Mapping[object, object]) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value


def value(text: str) -> object:
    """Read a value as it would stand in a file; `ConfigError`."""
    try:
        return yaml_loader.load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is no value of a parameter file") from error


def write(values: Mapping[str, Value], name: str = _EVERYWHERE) -> str:
    """Write one node's parameters, whatever its name or by its full `name`."""
    # rcl cannot tell the type of an empty list; leaving it out means the same
    written = {name: list(value) if isinstance(value, tuple) else value
               for name, value in values.items() if value != ()}
    return str(yaml.dump({name: {_KEY: written}}, Dumper=_QuotingDumper, sort_keys=False))


class _QuotingDumper(yaml.SafeDumper):
    """Quotes every string: rcl reads a plain `y`, `N` or `1e3` as something else than PyYAML."""


_QuotingDumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style='"'))
