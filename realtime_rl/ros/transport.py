"""How node processes reach each other: on this machine unless asked for more, and over sockets.

Nobody signs in on a ROS 2 network: whoever is on it can command the plant. So a graph keeps to
this machine where nothing is said, as ROS 2 itself does not.

Never over shared memory: Fast DDS' has locks between processes. Whoever holds one while it is
starved, stopped or killed makes everybody wait who sends, the plant too: a learner that joined at
ordinary priority cost it 20 ticks.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path

RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
RANGES = ("LOCALHOST", "OFF", "SUBNET", "SYSTEM_DEFAULT")
_FAST_DDS_2 = ("humble", "iron", "jazzy")
"""ROS 2 distributions; later ones have Fast DDS 3."""
_LOCAL, _NETWORK = "local", "network"
_PEERS = "ROS_STATIC_PEERS"
_LEFT_ALONE = ("FASTDDS_BUILTIN_TRANSPORTS", _PEERS)
"""Who sets one of these wants transports of his own."""
_MORE = f"{RANGE}=SUBNET lets other machines see and command it"


def node_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What a node's environment needs on top of `environment`; nothing where it has that already.

    With the discovery range `LOCALHOST` rmw_fastrtps chooses the transports itself: shared memory
    among them, whatever else is set, and sockets that listen to the whole network. The same range
    is therefore asked for by a profile.
    """
    if _chosen_profile(environment):
        return {}
    only_local = environment.get("ROS_LOCALHOST_ONLY") == "1"
    asked = _range(environment)
    as_ever = (not environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps").startswith("rmw_fastrtps")
               or any(environment.get(name) for name in _LEFT_ALONE))
    if asked not in ("", "LOCALHOST") and not only_local:
        return {} if as_ever else {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4",
                                   _variables(environment)[0]: _ours(_NETWORK, environment)}
    if as_ever:
        return {} if asked or only_local else {RANGE: "LOCALHOST"}
    # rcl warns where the old variable is set, to whatever
    return {RANGE: "SYSTEM_DEFAULT", **({"ROS_LOCALHOST_ONLY": "0"} if only_local else {}),
            _variables(environment)[0]: _ours(_LOCAL, environment)}


def reach(environment: Mapping[str, str], *, advise: bool = True) -> str:
    """Say in words who can see and command a node that has this environment.

    Args:
        environment: of a process that starts a node.
        advise: whether to say, too, how to let others in.
    """
    whole = {**environment, **node_environment(environment)}
    profile = _chosen_profile(whole)
    if _is_ours(profile, _LOCAL, whole):
        return f"this machine alone{f'; {_MORE}' if advise else ''}"
    if profile and not _is_ours(profile, _NETWORK, whole):
        return f"whoever {profile} lets in"
    peers = f", and {_PEERS}={whole[_PEERS]}" if whole.get(_PEERS) else ""
    if _range(whole) == "LOCALHOST" or whole.get("ROS_LOCALHOST_ONLY") == "1":
        return (f"this machine{peers}; but its sockets listen to the whole network, as the "
                "middleware chooses")
    return (f"every machine in the network ({RANGE}={_range(whole)}){peers}: any of them can "
            "command the plant")


def _chosen_profile(environment: Mapping[str, str]) -> str:
    """The profile that the middleware would read; empty where it is left to itself."""
    return next((environment[name] for name in _variables(environment) if environment.get(name)),
                "")


def _ours(reaching: str, environment: Mapping[str, str]) -> str:
    version = "" if len(_variables(environment)) == 1 else "3"
    return str(Path(__file__).with_name(f"fastdds{version}_{reaching}.xml"))


def _is_ours(profile: str, reaching: str, environment: Mapping[str, str]) -> bool:
    """Also where whoever chose it runs from another copy of this package, as from a clone."""
    ours = _ours(reaching, environment)
    if profile == ours:
        return True
    try:
        return Path(profile).read_bytes() == Path(ours).read_bytes()
    except OSError:
        return False


def _variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Where the environment's Fast DDS looks for a profile, the older name last.

    Version 2 knows the one name, version 3 the other and warns of the one. Neither reads what is
    written for the other: one element has another name.
    """
    distro = environment.get("ROS_DISTRO", "")
    if distro in _FAST_DDS_2 or (not distro and not _has_wheel_of_3()):
        return ("FASTRTPS_DEFAULT_PROFILES_FILE",)
    return "FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"


def _has_wheel_of_3() -> bool:
    try:
        return bool(importlib.metadata.version("ros-fastdds"))
    except importlib.metadata.PackageNotFoundError:
        return False


def _range(environment: Mapping[str, str]) -> str:
    return environment.get(RANGE, "").upper()
