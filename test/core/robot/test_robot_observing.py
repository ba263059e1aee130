"""What a policy is shown of a robot at a tick, and when it is shown nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from contracts import ARM, CAMERA, arm
from hypothesis import given
from hypothesis import strategies as st
from robot_messages import SECOND_NS, header, imu, joints, number, odometry, scan, vector

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot.contract_choices import OnStale
from realtime_rl.core.robot.observing import Observed, Observer
from realtime_rl.core.robot.sources import AHEAD_NS

ROS_NS = 1_700_000_000 * SECOND_NS
"""ROS's clock when the monotonic one is at 0."""
MS = 1_000_000
JOINTS = ["grip", "j2", "j1"]


def say(observer: Observer, at_ms: float, message: Any, name: str = "joints", *,
        late_ms: float = 0.0, picture: Any = None) -> None:
    """A message that is measured at a time, and received later."""
    received_ns = round((at_ms + late_ms) * MS)
    if hasattr(message, "header"):
        message.header = header(ROS_NS + round(at_ms * MS))
    observer.offer(name, message, received_ns, ROS_NS + received_ns, picture)


def observe(observer: Observer, tick_ms: float) -> Observed:
    return observer.observe(round(tick_ms * MS))


def state(value: float = 1.0) -> Any:
    return joints(JOINTS, [0.0, value + 1.0, value], [0.0, 0.5, 0.25])


def test_values_come_by_name_in_the_contracts_order() -> None:
    observer = Observer(arm())
    say(observer, 10, state(), late_ms=3)
    found = observe(observer, 20)
    assert found.observation is not None
    assert found.observation.dtype == np.float32
    assert found.observation.tolist() == [1.0, 2.0, 0.25]
    assert found.ages == pytest.approx((0.01,))
    assert found.positions == {"j1": 1.0, "j2": 2.0}
    assert found.velocities == {"j1": 0.25, "j2": 0.5}
    assert not any(found.stale.values())


def test_values_are_scaled_and_clamped_and_what_is_measured_is_not() -> None:
    observer = Observer(arm(source__joints__scale=[2.0], source__joints__offset=[1.0, 0.0, 0.0],
                            source__joints__low=-1.0, source__joints__high=3.0))
    say(observer, 0, state(0.25))
    found = observe(observer, 0)
    assert found.observation is not None
    assert found.observation.tolist() == [-1.0, 2.5, 0.5]
    assert found.positions == {"j1": 0.25, "j2": 1.25}


def test_nothing_is_shown_until_every_source_has_spoken() -> None:
    observer = Observer(arm(
        source__load={"topic": "/load", "type": "std_msgs/msg/Float64", "max_age": 0.1}))
    assert observer.missing() == {"joints": "no message yet", "load": "no message yet"}
    say(observer, 0, joints(["j1", "x"], [1.0, 0.0], [1.0, 0.0]))
    assert observer.missing()["joints"] == (
        "no value of position.j2: its messages have 'j1', 'x'")
    say(observer, 1, joints(["j2"], [2.0]))
    assert list(observer.missing()) == ["load"]
    found = observe(observer, 1)
    assert found.observation is None
    assert math.isnan(found.ages[1])
    say(observer, 1, number(0.5), "load")
    assert not observer.missing()
    assert observe(observer, 1).observation is not None


@pytest.mark.parametrize("what", OnStale)
def test_a_stale_source_does_what_its_contract_says(what: OnStale) -> None:
    observer = Observer(arm(source__joints__on_stale=what.word))
    say(observer, 0, state())
    assert observe(observer, 50).observation is not None
    found = observe(observer, 51)
    assert found.stale[what] == ("joints",)
    assert not found.positions and not found.velocities
    if what is not OnStale.MASK:
        assert found.observation is None
        return
    assert found.observation is not None
    assert found.observation["state"].tolist() == [1.0, 2.0, 0.25]
    assert found.observation["joints_valid"].tolist() == [0.0]
    say(observer, 60, state())
    fresh = observe(observer, 60).observation
    assert fresh is not None and fresh["joints_valid"].tolist() == [1.0]


def test_a_joint_that_falls_silent_makes_its_source_stale() -> None:
    observer = Observer(arm())
    say(observer, 0, state())
    for at in range(10, 100, 10):
        say(observer, at, joints(["j1"], [1.0], [0.0]))
    found = observe(observer, 100)
    assert found.stale[OnStale.STOP] == ("joints",)
    assert found.ages[0] == pytest.approx(0.1)
    assert found.positions == {"j1": 1.0}


@pytest.mark.parametrize(("message", "said"), [
    (joints(JOINTS, [0.0, math.nan, 1.0], [0.0] * 3), "position.j2 is nan"),
    (joints(JOINTS, [0.0, math.inf, 1.0], [0.0] * 3), "position.j2 is inf"),
    (joints(JOINTS, [0.0, math.nan, math.nan], [0.0] * 3), "position.j1 is nan, and 1 others"),
    (joints(["j1", "j1"], [0.0, 1.0]), "'j1' is there 2 times"),
])
def test_a_message_that_is_wrong_is_refused_as_a_whole(message: Any, said: str) -> None:
    observer = Observer(arm())
    say(observer, 0, state())
    with pytest.raises(WireError, match=said):
        say(observer, 10, message)
    found = observe(observer, 10)
    assert found.observation is not None
    assert found.observation.tolist() == [1.0, 2.0, 0.25]
    assert found.ages == pytest.approx((0.01,))


def test_an_infinity_of_somebody_elses_does_not_matter() -> None:
    observer = Observer(arm())
    say(observer, 0, joints(JOINTS, [math.nan, 2.0, 1.0], [0.0] * 3))
    assert observe(observer, 0).observation is not None


def test_a_scan_that_meets_nothing_is_as_far_as_the_contract_says() -> None:
    observer = Observer(arm(
        source__scan={"topic": "/scan", "type": "sensor_msgs/msg/LaserScan", "max_age": 0.2,
                      "fields": ["ranges[0:6:2]"], "inf": 8.0, "low": 0.0, "high": 10.0},
        observations=["state", "scan"], observation__scan={"sources": ["scan"]}))
    say(observer, 0, state())
    say(observer, 0, scan([math.inf, math.nan, -math.inf, 2.0, 2.5, 2.0]), "scan")
    found = observe(observer, 0).observation
    assert found is not None
    assert found["scan"].tolist() == [8.0, 0.0, 2.5]
    with pytest.raises(WireError, match=r"ranges\[2\] is nan"):
        say(observer, 1, scan([1.0, 1.0, math.nan, 1.0, 1.0, 1.0]), "scan")


def test_a_ray_that_is_no_number_is_what_the_contract_says() -> None:
    observer = Observer(arm(
        source__scan={"topic": "/scan", "type": "sensor_msgs/msg/LaserScan", "max_age": 0.2,
                      "fields": ["ranges[0:6:2]"], "nan": 9.0, "low": 0.0, "high": 10.0},
        observations=["state", "scan"], observation__scan={"sources": ["scan"]}))
    say(observer, 0, state())
    say(observer, 0, scan([math.nan, 1.0, 2.5, 1.0, math.nan, 1.0]), "scan")
    found = observe(observer, 0).observation
    assert found is not None
    assert found["scan"].tolist() == [9.0, 2.5, 9.0]
    with pytest.raises(WireError, match=r"ranges\[0\] is inf"):
        say(observer, 1, scan([math.inf, 1.0, math.nan, 1.0, 1.0, 1.0]), "scan")


@pytest.mark.parametrize("said", [math.nan, math.inf, -math.inf])
def test_where_a_robot_is_is_never_made_up(said: float) -> None:
    observer = Observer(arm(source__joints__inf=1.0, source__joints__nan=1.0))
    with pytest.raises(WireError, match=f"position.j1 is {said}"):
        say(observer, 0, joints(JOINTS, [0.0, 2.0, said], [0.0] * 3))


def test_a_stamp_that_cannot_be_right_is_refused() -> None:
    observer = Observer(arm())
    message = state()
    for stamp_ns, said in ((0, "stamp is 0"), (ROS_NS + AHEAD_NS + 1, "s ahead of this machine"),
                           (-1, "not a stamp")):
        message.header = header(stamp_ns)
        with pytest.raises(WireError, match=said):
            observer.offer("joints", message, 0, ROS_NS)
    assert observer.missing()
    message.header = header(ROS_NS + AHEAD_NS)  # taken for now
    observer.offer("joints", message, 0, ROS_NS)
    assert observe(observer, 0).ages == (0.0,)


@pytest.mark.parametrize(("stamps", "latency", "age"), [
    ("message", 0.0, 0.04), ("message", 0.004, 0.044), ("received", 0.0, 0.01),
    ("received", 0.004, 0.014)])
def test_a_message_is_as_old_as_the_contract_reckons(stamps: str, latency: float, age: float
                                                     ) -> None:
    observer = Observer(arm(source__joints__stamps=stamps, source__joints__latency=latency))
    say(observer, 0, state(), late_ms=30)
    assert observe(observer, 40).ages == pytest.approx((age,))


def test_stamps_of_two_seconds_ago_are_stale() -> None:
    """The clock of a sensor is set back while it goes on: what it said before does not count."""
    observer = Observer(arm())
    say(observer, 5000, state())
    say(observer, 3010, state(2.0), late_ms=2000)
    found = observe(observer, 5010)
    assert found.ages == pytest.approx((2.0,))
    assert found.stale[OnStale.STOP] == ("joints",)


@pytest.mark.parametrize(("back_ns", "jumps"), [(SECOND_NS + MS, 1), (SECOND_NS - MS, 0)])
def test_a_clock_that_is_set_back_begins_anew(back_ns: int, jumps: int) -> None:
    observer = Observer(arm(
        source__load={"topic": "/load", "type": "std_msgs/msg/Float64", "max_age": 0.1}))
    say(observer, 5000, state())
    observer.offer("load", number(1.0), 5_001 * MS, ROS_NS + 5_001 * MS - back_ns)
    assert observer.jumps == jumps
    assert ("joints" in observer.missing()) == bool(jumps)
    assert "load" not in observer.missing()


def test_a_camera_is_a_part_of_its_own() -> None:
    observer = Observer(arm(source__cam={**CAMERA, "align": "nearest"},
                            observations=["front", "state"],
                            observation__front={"sources": ["cam"]}))
    say(observer, 0, state())
    pictures = [np.full((3, 4, 8), shade, np.uint8) for shade in (1, 2, 2, 3)]
    for place, picture in enumerate(pictures[:3]):
        say(observer, 33.0 * place, imu(), "cam", picture=picture)
    found = observe(observer, 40)
    assert found.observation is not None
    assert found.observation["front"].tolist() == pictures[1].tolist()
    assert found.observation["state"].tolist() == [1.0, 2.0, 0.25]
    assert found.repeated == (1, 0)
    with pytest.raises(WireError, match=r"a picture of \(1, 4, 8\), not \(3, 4, 8\)"):
        say(observer, 99, imu(), "cam", picture=pictures[0][:1])
    say(observer, 99, imu(), "cam", picture=pictures[3])
    assert observe(observer, 99).repeated == (0, 0)


def test_what_a_base_does_is_measured_by_its_odometry() -> None:
    """Its wheels' joints are others."""
    observer = Observer(arm(
        source={
            "wheels": {**ARM["source"]["joints"], "fields": ["velocity.left"]},
            "odom": {"topic": "/odom", "type": "nav_msgs/msg/Odometry", "max_age": 0.1,
                     "fields": ["twist.twist.angular.z"]}},
        observation__state={"sources": ["odom"]}, limits=None,
        action__arm={"topic": "/cmd_vel", "type": "geometry_msgs/msg/TwistStamped",
                     "names": ["vx", "wz"], "mode": "velocity", "low": [-1.0], "high": [1.0],
                     "timeout": 0.5}))
    say(observer, 0, odometry(moving=vector(0.25), turning=vector(z=-0.5)), "odom")
    found = observe(observer, 0)
    assert found.velocities == {"vx": 0.25, "wz": -0.5}
    assert not found.positions


GRIPPER = {**ARM["source"]["joints"], "topic": "/gripper", "fields": ["position.grip"]}


def test_the_source_that_measures_is_the_one_that_mentions_the_joints() -> None:
    observer = Observer(arm(
        source__gripper=GRIPPER, action__arm__names=["grip"],
        limits={"grip": {"min_position": -1.0, "max_position": 1.0, "max_velocity": 1.0}}))
    say(observer, 0, state())
    say(observer, 0, joints(["grip"], [0.5]), "gripper")
    assert observe(observer, 0).positions == {"grip": 0.5}


@pytest.mark.parametrize(("changes", "said"), [
    ({"source__gripper": {**GRIPPER, "fields": ["position.j1"]}},
     "action.arm.measured: absent, and 'gripper', 'joints' may measure it; name one"),
    ({"action__arm__measured": "odom"},
     "action.arm.measured: 'odom' is no source that measures 'j1', 'j2'; .*'joints'"),
    ({"source__joints__scale": [1.0, 2.0]}, "source.joints.scale: 2 values for 3 elements"),
])
def test_what_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Observer(arm(**changes))


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), min_size=1, max_size=30),
       st.integers(0, 500))
def test_a_tick_never_shows_what_came_after_it(messages: list[tuple[int, int]], tick: int) -> None:
    """However late messages come, and whatever their order, until the tick."""
    observer = Observer(arm(source__joints__max_age=10.0))
    for at, late in sorted(messages, key=sum):
        if at + late <= tick:
            say(observer, at, state(at / 100), late_ms=late)
    seen = [at for at, late in messages if at + late <= tick]
    found = observe(observer, tick)
    if not seen:
        assert found.observation is None
    else:
        assert found.observation is not None
        assert found.observation[0] == pytest.approx(max(seen) / 100, abs=1e-6)
        assert found.ages[0] == pytest.approx((tick - max(seen)) / 1000)
