"""Mistakes in a contract: what the one line says of each."""

from __future__ import annotations

import re
from typing import Any

import pytest
from contracts import CAMERA, arm, changed

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot import contract_parameters, contract_reading

LIMIT = {"min_position": -2.0, "max_position": 2.0, "max_velocity": 1.5}
VELOCITY = {"action__arm__mode": "velocity", "action__arm__timeout": 0.5,
            "limits": {"j1": {"max_velocity": 1.0}, "j2": {"max_velocity": 1.0}}}
EFFORT = {"action__arm__mode": "effort", "action__arm__timeout": 0.5,
          "limits": {"j1": {"max_effort": 1.0}, "j2": {"max_effort": 1.0}}}
DELTA = {"action__arm__mode": "delta"}
TURNS = {"left": [-0.01, 0.0], "stay": [0.0, 0.0], "right": [0.01, 0.0]}
BOOL = {"topic": "/cup", "type": "std_msgs/msg/Bool", "names": ["suction"], "low": 0.0,
        "high": 1.0}
CUP = {"actions": ["arm", "cup"], "action__cup": BOOL}
REWARD = {"topic": "/reward", "type": "std_msgs/msg/Float64"}
DISTANCE = {"of": ["state.position.j1"], "to": ["0.5"]}

GOOD: list[dict[str, Any]] = [
    {}, VELOCITY, EFFORT, DELTA, CUP, {**DELTA, "choices": TURNS},
    {"choices": {"down": [-1.0, 0.0], "up": [1.0, 0.0]}, "still": "up"},
    {**VELOCITY, "action__arm__timeout": 0.0, "action__arm__unguarded": True},
    {"action__arm__on_end": "pose", "action__arm__pose": [0.0, -2.0]},
    {"reward__near": DISTANCE, "reward__there": {**DISTANCE, "below": 0.05, "ends": True},
     "reward__given": REWARD},
    {"reward__high": {"of": ["state.position.j1"], "above": 1.0, "value": 1.0}},
    {"deadman": {"topic": "/joy", "button": 4}, "estop": {"topic": "/estop"}},
    {"limits__policy": "scale", "start": {"ramp": 3.0, "max_first_step": 0.05}},
    {"observations": ["state", "front"], "observation__front": {"sources": ["cam"]},
     "source__cam": {**CAMERA, "on_stale": "mask"}},
]

MISTAKES: list[tuple[dict[str, Any], str]] = [
    # limits
    ({"limits": None}, "limits.j1: mode 'position' needs min_position and max_position"),
    ({"limits__j2": {**LIMIT, "max_velocity": 0.0}},
     "limits.j2: mode 'position' needs max_velocity or max_step"),
    ({**DELTA, "limits__j1": {"max_step": 0.1}},
     "limits.j1: mode 'delta' needs min_position and max_position"),
    ({"limits__j1": {**LIMIT, "min_position": 2.5}},
     "limits.j1.max_position: 2 is not above min_position, 2.5"),
    ({**VELOCITY, "limits": None}, "limits.j1: mode 'velocity' needs max_velocity"),
    ({**EFFORT, "limits": None}, "limits.j1: mode 'effort' needs max_effort"),
    ({**VELOCITY, "limits__j1": {"max_velocity": 1.0, "max_position": 2.0}},
     "limits.j1.max_position: nothing that limits mode 'velocity'; its limits are "
     "'max_acceleration', 'max_velocity'"),
    ({"limits__j1__max_effort": 1.0}, "limits.j1.max_effort: nothing that limits mode 'position'"),
    ({"limits__j3": LIMIT}, "limits.j3: no element of an action; there are 'j1', 'j2'"),
    ({"limits__j1__max_velocty": 1.0}, "limits.j1.unknown parameter 'max_velocty'; known: .*'max_"),
    ({"limits__policy": "clip"}, "limits.policy: 'clip' is not one of 'clamp', 'reject', 'scale'"),
    ({**CUP, "action__cup": {**BOOL, "low": []}},
     "limits.suction: mode 'position' needs min_position and max_position"),
    # what is sent where no action acts
    ({**EFFORT, "action__arm__default": "hold_last"},
     "action.arm.default: 'hold_last' with mode 'effort': an effort that is held pushes on: take "
     "'zero_velocity'"),
    ({**VELOCITY, "action__arm__on_stop": "hold_measured"},
     "action.arm.on_stop: 'hold_measured' with mode 'velocity': a velocity that is held drives "
     "on: take 'decelerate'"),
    ({"action__arm__on_stop": "zero_velocity"},
     "action.arm.on_stop: 'zero_velocity' with mode 'position': zeros are a place: take "
     "'hold_last'"),
    ({**VELOCITY, "action__arm__default": "decelerate"},
     "limits.j1: max_acceleration is absent; 'decelerate' needs it"),
    ({**CUP, "action__cup": {**BOOL, "default": "hold_measured"}},
     "action.cup.default: 'hold_measured': nobody measures a std_msgs/msg/Bool; take 'hold_last'"),
    # the controller
    ({"action__arm__timeout": 0.01}, "period: 0.02 s is not below action.arm.timeout, 0.01 s"),
    ({**VELOCITY, "action__arm__timeout": 0.0},
     "action.arm.timeout: absent: a controller without one goes on for ever .* unguarded: true"),
    ({**EFFORT, "action__arm__timeout": 0.0}, "action.arm.timeout: absent"),
    ({**VELOCITY, "action__arm__timeout": 0.0, "action__arm__unguarded": True,
      "action__arm__on_stop": "send_nothing"},
     "action.arm.on_stop: 'send_nothing' stops no controller without a timeout; take 'decel"),
    ({**EFFORT, "action__arm__timeout": 0.0, "action__arm__unguarded": True},
     "action.arm.default: 'send_nothing' stops no controller .*; take 'zero_velocity'"),
    ({"action__arm__frame": "base"}, "action.arm.frame: a std_msgs/msg/Float64MultiArray has no"),
    # elements and their values
    ({"actions": ["arm", "hand"], "action__hand": {
        "topic": "/hand", "type": "std_msgs/msg/Float64MultiArray", "names": ["j2"]}},
     "action.hand.names: 'j2' is an element of action.arm too"),
    ({"action__arm__names": ["j1", "j1"]}, "action.arm.names: .*each once"),
    ({"action__arm__names": ["j 1", "j2"], "limits": {"j 1": LIMIT, "j2": LIMIT}},
     "action.arm.names: 'j 1': no blanks"),
    ({"action__arm__scale": 0.0}, "action.arm.scale: 0: it would always do the same"),
    ({"action__arm__scale": [1.0, 2.0, 3.0]}, "action.arm.scale: 3 values for 2 elements"),
    ({"action__arm__low": [1.0, 1.0], "action__arm__high": [2.0, 0.5]},
     "action.arm.low: 1 of 'j2' is not below its largest value, 0.5"),
    ({"action__arm__mode": "torque"}, "action.arm.mode: 'torque' is not one of 'delta', 'effort'"),
    ({"actions": ["arm", "leg"]}, "actions: 'leg' has no section action.leg; there are 'arm'"),
    ({"actions": []}, "actions: empty"),
    ({"actions": ["arm", "arm"]}, "actions: .* names one twice"),
    # where it is
    ({"source__joints": {"topic": "/imu", "type": "sensor_msgs/msg/Imu", "max_age": 0.1,
                         "fields": ["angular_velocity.x"]}},
     "action.arm.measured: no source says where 'j1', 'j2' are; add the robot's JointState"),
    ({"action__arm__measured": "joint"},
     "action.arm.measured: 'joint' is no source that measures 'j1', 'j2'; those that may: "),
    ({**CUP, "action__cup__measured": "joints"}, "action.cup.measured: .*that may: none"),
    # the pose
    ({"action__arm__pose": [0.0, 0.0]}, "action.arm.pose: nothing goes there; say on_end: pose"),
    ({"action__arm__on_end": "pose", "action__arm__pose": [0.0]},
     "action.arm.pose: 1 values for 2 elements"),
    ({"action__arm__on_end": "pose", "action__arm__pose": [0.0, 2.5]},
     "action.arm.pose: 2.5 of 'j2' is beyond its limits, -2 … 2"),
    ({**VELOCITY, "action__arm__on_end": "pose", "action__arm__pose": [0.0, 0.0]},
     "action.arm.on_end: 'pose' with mode 'velocity': it has no positions"),
    # choices
    ({"still": "stay"}, "still: 'stay': there is no section 'choices'"),
    ({**DELTA, "choices": {"stay": [0.0, 0.0]}}, "choices: one is no choice"),
    ({**DELTA, "choices": TURNS, "still": "stop"},
     "still: 'stop' is not one of the choices, 'left', 'right', 'stay'"),
    ({**DELTA, "choices": {"left": [-0.01, 0.0], "right": [0.01, 0.0]}},
     "still: none of the choices is all zeros"),
    ({"choices": TURNS}, "still: absent: zeros are a place; name the one of the choices"),
    ({**DELTA, "choices": {**TURNS, "up": [0.01]}}, "choices.up: 1 values for 2 elements: j1, j2"),
    ({**DELTA, "choices": {**TURNS, "up": "fast"}}, "choices.up: 'fast' is not a list of numbers"),
    ({**DELTA, "choices": {**TURNS, "port": [-0.01, 0.0]}},
     "choices.port: asks for the same as choices.left"),
    ({**DELTA, "choices": {**TURNS, "up": [0.0, 0.1]}},
     "choices.up: 0.1 of 'j2' is beyond its limits, -0.03 … 0.03"),
    ({**DELTA, "choices": {**TURNS, "go up": [0.0, 0.01]}}, "choices: 'go up': no blanks"),
    ({**DELTA, "choices": TURNS, "action__arm__low": -1.0},
     "action.arm.low: nobody asks for values where there are choices"),
    # sources and parts
    ({"source__joints__max_age": None}, "source.joints.max_age: absent"),
    ({"source__joints__latency": 0.05},
     "source.joints.latency: 0.05 s is not below max_age, 0.05 s: it would always be stale"),
    ({"source__joints__scale": [1.0, 2.0]}, "source.joints.scale: 2 values for 3 elements"),
    ({"source__joints__offset": [1.0, 2.0]}, "source.joints.offset: 2 values for 3 elements"),
    ({"source__joints__scale": [1.0, 0.0, 1.0]}, "source.joints.scale: 0: it would always say"),
    ({"source__cam": {**CAMERA, "scale": 2.0}}, "source.cam.scale: a picture's values stay"),
    ({"source__joints__fields": ["position.j1", "position.j1"]},
     "source.joints.fields: 'position.j1' is there twice"),
    ({"source__cam": CAMERA, "observation__state__sources": ["joints", "cam"]},
     "observation.state.sources: 'cam' is a picture: make it a part of its own"),
    ({"observation__state__sources": ["joint"]}, "observation.state.sources: .*'joints'"),
    ({"observations": ["state", "state"]}, "observations: .* names one twice"),
    ({"observations": ["the__state"], "observation": {"the__state": {"sources": ["joints"]}}},
     "observation part 'the__state'"),
    # topics
    ({"source__joints__topic": "joint states"},
     "source.joints.topic: 'joint states' is no name of a topic, as /joint_states is"),
    ({"reward__given": {**REWARD, "topic": "/joint_states"}},
     "reward.given.topic: '/joint_states' is of std_msgs/msg/Float64 here, of "
     "sensor_msgs/msg/JointState in source.joints"),
    ({**CUP, "action__cup": {**BOOL, "topic": "/commands"}},
     "action.cup.topic: '/commands' is of std_msgs/msg/Bool here, of std_msgs/msg/Float64Multi"),
    ({"actions": ["arm", "hand"], "limits__grip": LIMIT, "action__hand": {
        "topic": "/commands", "type": "std_msgs/msg/Float64MultiArray", "names": ["grip"]}},
     "action.hand.topic: '/commands' is that of action.arm too"),
    # guards and start
    ({"deadman": {"topic": "/joy"}}, "deadman.button: absent"),
    ({"deadman": {"button": 4}}, "deadman.topic: absent"),
    ({"estop": {"timeout": 0.2}}, "estop.topic: absent"),
    ({"start__ramp": 0.01}, "start.ramp: 0.01 s is shorter than the period, 0.02 s"),
    ({**VELOCITY, "start__max_first_step": 0.1}, "start.max_first_step: no action has positions"),
    ({"start__ramp": -1.0}, "start.ramp: -1.0 is outside 0 … 60"),
    # rewards
    ({"reward__r": {"weight": 2.0}}, "reward.r: give either a topic or `of`"),
    ({"reward__r": {**REWARD, **DISTANCE}}, "reward.r: give either a topic or `of`"),
    ({"reward__r": {"topic": "/reward"}}, "reward.r.type: absent"),
    ({"reward__r": {**REWARD, "type": "Float64"}}, "reward.r: type: 'Float64': write it as"),
    ({"reward__r": {**REWARD, "field": "value"}}, "reward.r: fields: 'value'"),
    ({"reward__r": {**REWARD, "type": "geometry_msgs/msg/PoseStamped",
                    "field": "pose.orientation@rpy"}}, "reward.r.field: .* is 3 values; name one"),
    ({"reward__r": {**REWARD, "to": ["1.0"]}}, "reward.r.to: goes with `of`, not with a topic"),
    ({"reward__r": {"of": ["position.j1"]}},
     "reward.r: 'position.j1' is no element of the observation; there are 'state.position.j1'"),
    ({"reward__r": {"of": ["1.0"]}}, "reward.r: '1.0' is no element"),
    ({"reward__r": {**DISTANCE, "to": ["0.5", "0.5"]}}, "reward.r.to: 2 for 1 of `of`"),
    ({"reward__r": {"of": ["state.position.j1", "state.position.j2"]}},
     "reward.r.of: 2 elements; give `to`, or name one"),
    ({"reward__r": {**DISTANCE, "above": 2.0, "below": 1.0}},
     "reward.r.below: 1 is not more than above, 2"),
    ({"reward__r": {**DISTANCE, "weight": 0.0}}, "reward.r.weight: 0: nothing would be earned"),
    ({"reward__r": {**DISTANCE, "ends": True}}, "reward.r.ends: at once"),
    # sections
    ({"period": None}, "period: absent"),
    ({"perod": 0.02}, "unknown parameter 'perod'; known: .*'period'"),
    ({"sources__joints__topic": "/x"}, "unknown section 'sources'; known: .*'source'"),
    ({"source__joints__topik": "/x"}, "source.joints.unknown parameter 'topik'; known: .*'topic'"),
    ({"action__arm__on_end": "home"}, "action.arm.on_end: 'home' is not one of 'hold', 'pose'"),
]


@pytest.mark.parametrize("changes", GOOD)
def test_what_fits_is_taken(changes: dict[str, Any]) -> None:
    assert arm(**changes).elements[:2] == ("j1", "j2")


def test_what_numbers_stand_for_does_not_hang_on_the_order_of_parameters() -> None:
    values = changed(**DELTA, choices=TURNS, observations=["state", "front"],
                     observation__front={"sources": ["cam"]}, source__cam=CAMERA,
                     source__alone={**CAMERA, "topic": "/alone"})
    for order in (sorted, reversed):
        given = dict(order(list(contract_parameters.flat(values).items())))
        read = contract_reading.read(given)
        assert read.spec.actions.labels == ("left", "right", "stay")
        assert [spec.name for spec in read.sources] == ["joints", "cam", "alone"]


@pytest.mark.parametrize(("changes", "said"), MISTAKES)
def test_a_mistake_is_told_in_one_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        arm(**changes)
    line = str(caught.value)
    plain = said.replace(".*", "\0")
    assert re.match(re.escape(plain).replace("\0", ".*"), line), line
    assert "\n" not in line
