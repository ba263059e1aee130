"""From what a run can be made once more, as its nodes' parameters say it."""

from __future__ import annotations

from collections.abc import Iterable

from realtime_rl.bags.run_record import Origin
from realtime_rl.ros.graph import NodeSpec


def origin_of(nodes: Iterable[NodeSpec]) -> Origin:
    """Return what the bag of these nodes is to note; of a robot, that it is one."""
    said = {node.executable: node.parameters for node in nodes}
    plant = said.get("plant", {})
    first = next((said[name]["policy"] for name in ("inference", "learner") if name in said), "")
    options, seed = plant.get("options", ()), plant.get("seed", 0)
    assert isinstance(options, tuple | list) and isinstance(seed, int)
    return Origin(str(plant.get("name", "")), tuple(map(str, options)), seed, str(first))
