"""Which processes a graph has: one a node, or few that are composed of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from realtime_rl.ros import parameter_files
from realtime_rl.ros.graph import NodeSpec, parameter_file

COMPOSED = {"path": ("plant", "robot", "inference", "actuator"),
            "observers": ("coordinator", "monitor", "recorder")}
"""Processes of a composed graph, and the executables that each has in it."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of the graph, with the nodes that it runs."""

    name: str
    nodes: tuple[NodeSpec, ...]

    @property
    def composed(self) -> bool:
        """Whether it has several nodes, or could."""
        return self.name in COMPOSED

    @property
    def namespace(self) -> str:
        """That of all its nodes."""
        return self.nodes[0].namespace

    @property
    def kind(self) -> str:
        """What it is, whatever it is called: the name of a composed one, or its executable."""
        return self.name if self.composed else self.executable

    @property
    def executable(self) -> str:
        """Its executable in `lib/realtime_rl`, which is also its module in `realtime_rl.nodes`."""
        return "composed" if self.composed else self.nodes[0].executable

    @property
    def executables(self) -> tuple[str, ...]:
        """Those of its nodes."""
        return tuple(node.executable for node in self.nodes)

    @property
    def respawn(self) -> bool:
        """Whether it is started again when it dies."""
        return all(node.respawn for node in self.nodes)

    @property
    def arguments(self) -> list[str]:
        """What it is started with, before ROS's own arguments."""
        return list(self.executables) if self.composed else []

    @property
    def names(self) -> list[str]:
        """ROS arguments that give its nodes their names."""
        if not self.composed:
            return ["-r", f"__node:={self.name}"]
        return [word for node in self.nodes if node.name != node.executable
                for word in ("-r", f"{node.executable}:__node:={node.name}")]

    @property
    def parameter_file(self) -> str:
        """Its nodes' parameters as a ROS 2 parameter file."""
        if not self.composed:
            return parameter_file(self.nodes[0])
        return "".join(
            parameter_files.write(node.parameters, f"/{node.namespace}/{node.name}"
                                  .replace("//", "/")) for node in self.nodes)


def processes(specs: Iterable[NodeSpec], *, composed: bool = False,
              apart: Iterable[str] = ()) -> list[ProcessSpec]:
    """Return the processes of a graph's nodes: one each, or as `COMPOSED` says.

    Args:
        specs: from `nodes`.
        composed: whether they share processes.
        apart: executables that do not.
    """
    found: dict[str, list[NodeSpec]] = {}
    for spec in specs:
        group = next((name for name, members in COMPOSED.items()
                      if composed and spec.executable in set(members) - set(apart)), spec.name)
        found.setdefault(group, []).append(spec)
    return [ProcessSpec(name, tuple(sorted(members, key=_place)))
            for name, members in found.items()]


def _place(spec: NodeSpec) -> int:
    """Where a node stands in its composed process: the plant first, the recorder last."""
    return next((members.index(spec.executable) for members in COMPOSED.values()
                 if spec.executable in members), 0)
