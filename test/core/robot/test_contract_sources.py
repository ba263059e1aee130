"""Topics of a contract: what is filled in, and what is refused before anything starts."""

from __future__ import annotations

from typing import Any

import pytest
from contracts import CAMERA, arm

from realtime_rl.core.errors import ConfigError

IMU = {"topic": "/imu", "type": "sensor_msgs/msg/Imu", "fields": ["angular_velocity.x"],
       "max_age": 0.1}


def test_a_number_needs_no_field_and_has_no_stamp() -> None:
    read = arm(source__load={"topic": "/load", "type": "std_msgs/msg/Float64", "max_age": 0.1},
               observation__state={"sources": ["joints", "load"]})
    load = read.sources[1]
    assert (load.elements, load.config.stamps) == (("data",), "received")
    assert read.observation.parts[0].elements == (
        "joints.position.j1", "joints.position.j2", "joints.velocity.j1", "load.data")


def test_limits_are_found_whatever_a_joint_is_called() -> None:
    read = arm(action__arm__names=["left.j1", "left.j2"],
               limits={"left.j1.max_position": 1.0, "left.j2.max_position": 2.0,
                       "left.j1.max_step": 0.1, "left.j2.max_step": 0.1})
    assert [limit.max_position for limit in read.limits] == [1.0, 2.0]


@pytest.mark.parametrize(("changes", "said"), [
    ({"source__joints__type": "JointState"},
     "source.joints.type: 'JointState': write it as 'sensor_msgs/msg/JointState'"),
    ({"source__joints__fields": ["j1"]}, "source.joints.fields: 'j1' is no field.*position.NAME"),
    ({"source__joints__fields": []}, "source.joints.fields: absent"),
    ({"source__joints__max_age": None}, "source.joints.max_age: absent"),
    ({"source__joints__image": {"width": 3}}, "source.joints.image: .*JointState is no picture"),
    ({"source__cam": {**CAMERA, "fields": ["data"]}}, "source.cam.fields: 'data'.* picture"),
    ({"source__cam": {**CAMERA, "image": {"width": 3}}}, "source.cam.image: width and height"),
    ({"source__cam": {**CAMERA, "align": "linear"}}, "source.cam.align: .*use 'hold'"),
    ({"source__imu": {**IMU, "fields": ["orientation@rpy"], "align": "linear"}},
     "source.imu.align: .*'orientation@rpy'; use 'hold', or '@gravity'"),
    ({"source__cam": CAMERA, "observation__state": {"sources": ["joints", "cam"]}},
     "observation.state.sources: 'cam' is a picture: make it a part of its own"),
    ({"action__arm__type": "Twist"},
     "action.arm.type: 'Twist': write it as 'geometry_msgs/msg/Twist'"),
    ({"action__arm__type": "geometry_msgs/msg/Twist"}, "action.arm.mode: 'position'"),
    ({"action__arm__names": []}, "action.arm.names: 'none'"),
    ({"action__arm__topic": ""}, "action.arm.topic: absent"),
    ({"source__imu": {**IMU, "low": 1.0, "high": 1.0}}, "source.imu.low: 1 is not below high, 1"),
])
def test_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        arm(**changes)
