"""What `robot check` says of a robot that is right, and of each mistake."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from contracts import CAMERA, arm

from realtime_rl.cli.robot_checks import examine
from realtime_rl.cli.robot_findings import Finding, Level
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.facts import Endpoint, Facts, Heard

JOINT_STATE = "sensor_msgs/msg/JointState"
ARRAY = "std_msgs/msg/Float64MultiArray"
NAMES = ("grip", "j2", "j1")
MS = 1_000_000


def said(values: Any, every_ms: float = 10, behind_ms: float = 1.0, age: float = 0.005,
         names: tuple[tuple[str, ...], ...] = (NAMES,), **more: Any) -> Heard:
    """A second of a source."""
    times = [round(number * every_ms * MS) for number in range(round(1000 / every_ms))]
    values = np.array(values, np.float64)
    return Heard(times, [round(behind_ms * MS)] * len(times), names=set(names), ages=[age] * 50,
                 least=values, most=values, newest=values, **more)


JOINTS = said([0.1, 0.2, 0.0])
DRIVER = Endpoint("/driver", JOINT_STATE, "best_effort")
CONTROLLER = Endpoint("/controller", ARRAY)


def facts(**more: Any) -> Facts:
    """Of the arm as it should be, with changes."""
    found = Facts(
        1.0, "this machine alone", "/", {"/joint_states": [JOINT_STATE]}, {"/commands": [ARRAY]},
        {"/joint_states": [DRIVER], "/commands": []}, {"/commands": [CONTROLLER]},
        {"joints": JOINTS}, {}, {"j1": 0.1, "j2": 0.2}, {"/controller": {"joints": ["j1", "j2"]}})
    return replace(found, **more)


def wrong(contract: Contract, found: Facts) -> list[str]:
    return [f"{each.where}: {each.text}" for each in examine(contract, found)
            if each.level is Level.WRONG]


def test_nothing_is_wrong_with_what_is_right() -> None:
    findings = examine(arm(), facts())
    assert {each.level for each in findings} == {Level.OK}
    assert Finding(Level.OK, "source.joints.max_age", "100.0 Hz, 5.0 ms old at a tick, 5.0 ms at "
                   "most, stale after 50 ms") in findings
    assert Finding(Level.OK, "action.arm.names", "in the order of /controller") in findings


TYPES = {"/joint_states": [Endpoint("/driver", "sensor_msgs/msg/Imu")], "/commands": []}
MISTAKES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "wrong type": ({}, {"publishers": TYPES},
                   "source.joints.type: /joint_states is 'sensor_msgs/msg/Imu' (by /driver), the "
                   "contract says 'sensor_msgs/msg/JointState'"),
    "wrong joint name": (
        {"source__joints__fields": ["position.joint_1"]},
        {"missing": {"joints": "no value of position.joint_1: its messages have 'j1', 'j2'"}},
        "source.joints.fields: no value of position.joint_1: its messages have 'j1', 'j2'; "
        "perhaps 'j1' for 'joint_1'"),
    "wrong QoS": (
        {}, {"publishers": {"/joint_states": [replace(DRIVER, problem="it is so")],
                            "/commands": []}},
        "source.joints.reliability: /joint_states: /driver has best_effort, which does not match, "
        "so that nothing arrives (it is so); say `best_effort`"),
    "swapped order": (
        {}, {"controllers": {"/controller": {"joints": ["j2", "j1"]}}},
        "action.arm.names: /controller takes j2, j1, in this order; the contract sends j1, j2"),
    "stale stamps": (
        {}, {"heard": {"joints": said([0.0] * 3, behind_ms=2000, age=2.0)}},
        "source.joints.stamps: its stamps are 2 s behind its reception, and it is stale after "
        "0.05 s; set both machines by one clock, or say `stamps: received`; if it really is so "
        "old, raise max_age"),
    "wrong size": (
        {}, {"heard": {"joints": said([0.0] * 3, refused={"a picture of 4×3, not 8×4": 7})}},
        "source.joints: 7 of 100 messages refused: a picture of 4×3, not 8×4"),
    "no publisher": (
        {"source__joints__topic": "/arm/joint_states"},
        {"publishers": {"/arm/joint_states": [], "/commands": []}},
        "source.joints.topic: nobody publishes /arm/joint_states; of sensor_msgs/msg/JointState: "
        "'/joint_states'"),
    "two publishers": (
        {}, {"publishers": {"/joint_states": [DRIVER, replace(DRIVER, node="/old")],
                            "/commands": []}},
        "source.joints.topic: 2 publishers of the same, whose values would be mixed: /driver, "
        "/old; end one, or rename its topic"),
    "wrong unit range": (
        {}, {"heard": {"joints": said([57.3, 0.0, 0.0])}},
        "source.joints.scale: position.j1 is 57.3 to 57.3, beyond -10 to 10: set scale and "
        "offset, or low and high; are they degrees?"),
    "wrong unit of what is held": (
        {}, {"positions": {"j1": 57.3, "j2": 0.0}},
        "limits.j1: it is at 57.3, beyond -2 to 2: move it, or set them; are they degrees?"),
    "period longer than the controller's timeout": (
        {"period": 0.5, "source__joints__max_age": 1.0},
        {"controllers": {"/controller": {"cmd_vel_timeout": 0.25}}},
        "period: 0.5 s; /controller stops 0.25 s after a command: it would stop between two"),
    "slow": ({}, {"heard": {"joints": said([0.0] * 3, every_ms=100)}},
             "source.joints.max_age: it comes every 0.1 s, and is stale after 0.05 s"),
    "often stale": (
        {}, {"heard": {"joints": said([0.0] * 3, age=0.06)}},
        "source.joints.max_age: 100.0 Hz, 60.0 ms old at a tick, 60.0 ms at most: stale (50 ms) "
        "at 100% of the ticks"),
    "silent": ({}, {"heard": {"joints": Heard()}, "positions": {}},
               "source.joints.topic: nothing came on /joint_states in 1 s"),
    "misspelt topic": (
        {}, {"publishers": {"/joint_states": [], "/commands": []},
             "published": {"/joint_state": ["sensor_msgs/msg/Imu"]}},
        "source.joints.topic: nobody publishes /joint_states; there is '/joint_state' of "
        "'sensor_msgs/msg/Imu'"),
    "another one commands": (
        {}, {"publishers": {"/joint_states": [DRIVER], "/commands": [Endpoint("/pad", ARRAY)]}},
        "action.arm.topic: /pad commands /commands, too: end it before a policy acts"),
    "nobody is commanded": (
        {}, {"subscribers": {"/commands": []}, "taken": {"/gripper": ["std_msgs/msg/Bool"]}},
        "action.arm.topic: nobody listens to /commands; nothing of std_msgs/msg/Float64MultiArray "
        "is there"),
    "nobody at all": (
        {}, {"subscribers": {"/commands": []}, "taken": {}},
        "action.arm.topic: nobody listens to /commands; nothing is there at all"),
    "a topic of another namespace": (
        {"source__joints__topic": "joint_states"},
        {"namespace": "/left", "publishers": {"joint_states": [], "/commands": []}},
        "source.joints.topic: nobody publishes /left/joint_states; of "
        "sensor_msgs/msg/JointState: '/joint_states'"),
    "a joint that nobody measures": (
        {"source__joints__fields": ["position.j1"]},
        {"positions": {"j1": 0.0}, "heard": {"joints": said([0.0], names=(("j1", "x"),))}},
        "limits.j2: nothing says where it is; source.joints has 'j1', 'x'"),
    "no emergency stop": (
        {"estop": {"topic": "/estop"}},
        {"publishers": {"/joint_states": [DRIVER], "/commands": [], "/estop": []}},
        "estop.topic: nobody publishes /estop; nothing of std_msgs/msg/Bool is there"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_has_its_line_and_no_other(mistake: str) -> None:
    changes, found, line = MISTAKES[mistake]
    assert wrong(arm(**changes), facts(**found)) == [line]


def test_two_publishers_of_other_joints_are_right() -> None:
    found = facts(publishers={"/joint_states": [DRIVER, replace(DRIVER, node="/hand")],
                              "/commands": []},
                  heard={"joints": said([0.0] * 3, names=(("j1",), ("j2", "x")))})
    assert not wrong(arm(), found)


def test_what_is_worth_knowing_is_no_mistake() -> None:
    contract = arm(source__cam=CAMERA, action__arm__timeout=1.0)
    camera = Heard(JOINTS.received_ns[::4], repeated=25, ages=[0.01])
    found = facts(
        heard={"joints": JOINTS, "cam": camera},
        publishers={**facts().publishers, "/image": [Endpoint("/cam", "sensor_msgs/msg/Image")]},
        controllers={"/controller": {"cmd_vel_timeout": 0.5}})
    findings = examine(contract, found)
    assert [f"{each.where}: {each.text}" for each in findings if each.level is Level.NOTE] == [
        "source.cam.topic: a message comes every 40 ms, a tick every 20 ms",
        "source.cam: all 25 messages said the same",
        "action.arm.timeout: /controller stops 0.5 s after a command, the contract says 1"]
    assert not wrong(contract, found)


@pytest.mark.parametrize(("field", "value", "guess"), [
    ("point.x", 394.0, "millimetres"), ("point.x", 20.0, ""), ("ranges[0]", 2400.0, "millimetres"),
    ("intensities[0]", 2400.0, "")])
def test_a_length_that_is_too_large_may_be_in_millimetres(field: str, value: float, guess: str
                                                          ) -> None:
    kind = ("geometry_msgs/msg/PointStamped" if field.startswith("point")
            else "sensor_msgs/msg/LaserScan")
    contract = arm(source__place={"topic": "/place", "type": kind, "fields": [field],
                                  "max_age": 0.5},
                   observation__state={"sources": ["joints", "place"]})
    found = facts(heard={"joints": JOINTS, "place": said([value])},
                  publishers={**facts().publishers, "/place": [Endpoint("/eye", kind)]})
    (line,) = wrong(contract, found)
    assert line.endswith(f"or low and high; are they {guess}?" if guess else "or low and high")


def test_a_controller_that_says_nothing_of_itself_is_worth_knowing() -> None:
    findings = examine(arm(), facts(controllers={}, mute=["/controller"]))
    assert [each.where for each in findings if each.level is Level.NOTE] == ["action.arm.names"]


def test_ticks_before_anything_was_heard_do_not_count() -> None:
    heard = Heard()
    heard.note(np.array([math.nan]), math.nan)
    assert not heard.ages
    for value in (1.0, -1.0, 0.0):
        heard.note(np.array([value]), 0.1)
    assert (heard.least[0], heard.most[0], heard.newest[0]) == (-1.0, 1.0, 0.0)

