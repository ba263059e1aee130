"""rosbag2's `metadata.yaml`, version 9 (Jazzy)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import yaml

from realtime_rl.bags.messages import typestore

_VERSION = 9
_NEVER_NS = 2**63 - 1
_INFINITE = {"sec": 9223372036, "nsec": 854775807}


@dataclass(frozen=True, slots=True)
class OfferedQos:
    """What a recorded topic's publishers offer, and `ros2 bag play` will offer again."""

    depth: int = 10
    """Of the history; 0: not known, as for a publisher that was found through discovery."""
    reliable: bool = True
    transient_local: bool = False


@dataclass(slots=True)
class RecordedFile:
    """What one file of a bag holds so far."""

    path: str
    """Relative to the bag's folder."""
    messages: int = 0
    first_ns: int = _NEVER_NS
    last_ns: int = 0

    def count(self, receive_ns: int) -> None:
        """Take in one message."""
        self.messages += 1
        self.first_ns = min(self.first_ns, receive_ns)
        self.last_ns = max(self.last_ns, receive_ns)


@dataclass(slots=True)
class Recorded:
    """What a bag holds so far."""

    files: list[RecordedFile] = field(default_factory=list)
    """The newest last."""
    topics: dict[str, tuple[str, OfferedQos]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, topic: str, kind: str, qos: OfferedQos) -> None:
        """Take in a topic."""
        self.topics[topic] = (kind, qos)
        self.counts[topic] = 0

    def count(self, topic: str, receive_ns: int) -> None:
        """Take in one message, of the newest file."""
        self.counts[topic] += 1
        self.files[-1].count(receive_ns)

    def whole(self) -> RecordedFile:
        """Return the span of all files together."""
        return RecordedFile("", sum(file.messages for file in self.files),
                            min(file.first_ns for file in self.files),
                            max(file.last_ns for file in self.files))


def channel_metadata(kind: str, qos: OfferedQos) -> dict[str, str]:
    """What rosbag2 writes beside the name and type of an MCAP channel."""
    return {"offered_qos_profiles": _dump([_profile(qos)]).strip(),
            "topic_type_hash": typestore().hash_rihs01(kind)}


def metadata_yaml(recorded: Recorded, *, nested: bool = True) -> str:
    """Write `metadata.yaml`; without `nested`, the form that is embedded in the MCAP file."""
    information = {
        "version": _VERSION, "storage_identifier": "mcap", **_span(recorded.whole()),
        "topics_with_message_count": [
            {"topic_metadata": {
                "name": name, "type": kind, "serialization_format": "cdr",
                "offered_qos_profiles": [_profile(qos)],
                "type_description_hash": typestore().hash_rihs01(kind)},
             "message_count": recorded.counts[name]}
            for name, (kind, qos) in recorded.topics.items()],
        "compression_format": "", "compression_mode": "",
        "relative_file_paths": [file.path for file in recorded.files],
        "files": [{"path": file.path, **_span(file)} for file in recorded.files],
        "custom_data": None, "ros_distro": os.environ.get("ROS_DISTRO", "jazzy")}
    return _dump({"rosbag2_bagfile_information": information} if nested else information)


def _span(file: RecordedFile) -> dict[str, object]:
    return {"starting_time": {"nanoseconds_since_epoch": file.first_ns},
            "duration": {"nanoseconds": max(0, file.last_ns - file.first_ns)},
            "message_count": file.messages}


def _profile(qos: OfferedQos) -> dict[str, object]:
    return {
        "history": "keep_last" if qos.depth else "unknown", "depth": qos.depth,
        "reliability": "reliable" if qos.reliable else "best_effort",
        "durability": "transient_local" if qos.transient_local else "volatile",
        "deadline": dict(_INFINITE), "lifespan": dict(_INFINITE), "liveliness": "automatic",
        "liveliness_lease_duration": dict(_INFINITE), "avoid_ros_namespace_conventions": False}


def _dump(value: object) -> str:
    # no value stands in two places, so that PyYAML writes no anchors, which rosbag2 never does
    return str(yaml.safe_dump(value, sort_keys=False))
