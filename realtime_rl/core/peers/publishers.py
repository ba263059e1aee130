"""Who publishes on the topics of the graph, and who should not.

Without SROS2 anybody on the domain can act, observe and reckon in a node's place; at least it is
said. A node that died may still be listed for as long as its middleware was to be waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

_GONE_AFTER_NS = 30_000_000_000
"""By then nobody is listed any more who died, nor without its name as it was just met."""
UNKNOWN = "_NODE_NAME_UNKNOWN_"
"""What rmw gives as the name of a node that it has not met yet, or that is none."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """One endpoint of a topic."""

    node: str
    """Full name, as `/robot1/plant`."""
    gid: bytes
    """Its identity."""


class PublisherWatch:
    """Finds publishers beside those that a topic should have; tells of each once."""

    def __init__(self, expected: Mapping[str, Sequence[str]],
                 of_anybody: Collection[str] = ()) -> None:
        """Begin without having met anybody.

        Args:
            expected: for each topic, the nodes (full names) that have one publisher each.
            of_anybody: topics that another node may publish on, if it is the only one.
        """
        self._expected = {topic: tuple(nodes) for topic, nodes in expected.items()}
        self._of_anybody = of_anybody
        self._since_ns: dict[tuple[str, bytes], int] = {}
        """When publishers were met that may be right, or gone soon."""
        self._reported: set[tuple[str, bytes]] = set()

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are watched."""
        return tuple(self._expected)

    def look(self, topic: str, publishers: Sequence[Publisher], now_ns: int) -> list[str]:
        """Take in who publishes on a topic; return a line for each who should not, once."""
        expected = self._expected[topic]
        if topic in self._of_anybody and len(publishers) == 1:
            expected = (publishers[0].node,)
        here = {(topic, each.gid) for each in publishers}
        self._reported = {key for key in self._reported if key[0] != topic or key in here}
        self._since_ns = {key: since_ns for key, since_ns in self._since_ns.items()
                          if key[0] != topic or key in here}
        lines = []
        for each in publishers:
            key = (topic, each.gid)
            if key in self._reported \
                    or not self._stands_out(each, publishers, expected, key, now_ns):
                continue
            self._reported.add(key)
            lines.append(f"{topic}: {_named(each)} publishes on it, which is for "
                         f"{' and '.join(expected)} alone; whoever is on this ROS domain can take "
                         "part in what the plant does")
        return lines

    def _stands_out(self, one: Publisher, publishers: Sequence[Publisher],
                    expected: Sequence[str], key: tuple[str, bytes], now_ns: int) -> bool:
        namesakes = sum(other.node == one.node for other in publishers)
        if one.node in expected and namesakes == 1:
            self._since_ns.pop(key, None)
            return False
        if one.node not in expected and not one.node.endswith(UNKNOWN):
            return True
        return now_ns - self._since_ns.setdefault(key, now_ns) >= _GONE_AFTER_NS


def _named(publisher: Publisher) -> str:
    return ("somebody without a name" if publisher.node.endswith(UNKNOWN)
            else f"node {publisher.node!r}")
