"""How node processes reach each other: over sockets, never over shared memory.

Fast DDS' shared memory has locks between processes. Whoever holds one while it is starved, stopped
or killed makes everybody wait who sends, the plant too: a learner that joined at ordinary priority
cost it 20 ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_LOCAL_PROFILE = Path(__file__).with_name("fastdds_local.xml")
_RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
_PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""The names of Fast DDS 2 and 3."""
_LEFT_ALONE = (*_PROFILES, "FASTDDS_BUILTIN_TRANSPORTS", "ROS_STATIC_PEERS")
"""Who sets one of these wants something of his own."""


def node_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a node's environment needs on top of `environment`; empty where it is left alone.

    With the discovery range `LOCALHOST` rmw_fastrtps chooses the transports itself, shared memory
    among them, whatever else is set; the same range is therefore asked for by a profile.
    """
    if not environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps").startswith("rmw_fastrtps"):
        return {}
    if any(environment.get(name) for name in _LEFT_ALONE):
        return {}
    only_local = environment.get("ROS_LOCALHOST_ONLY") == "1"
    if only_local or environment.get(_RANGE, "").upper() == "LOCALHOST":
        # rcl warns where the old variable is set, to whatever
        return {_RANGE: "SYSTEM_DEFAULT", **({"ROS_LOCALHOST_ONLY": "0"} if only_local else {}),
                **dict.fromkeys(_PROFILES, str(_LOCAL_PROFILE))}
    return {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
