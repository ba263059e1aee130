from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
from plants_conformance import PlantConformance, actions, run, same

from realtime_rl.core.control.gamepad import GamepadLayout
from realtime_rl.core.errors import MissingDependencyError, PlantError
from realtime_rl.plants import gymnasium_plant, registry
from realtime_rl.plants.base import Plant

gymnasium = pytest.importorskip("gymnasium")


def make(id: str, seed: int = 0, **options: object) -> Plant:
    return registry.make("gymnasium", {"id": id, **options}, seed)


def atari(seed: int = 0, **options: object) -> Plant:
    pytest.importorskip("ale_py")
    pytest.importorskip("cv2")
    return make("ALE/Boxing-v5", seed, **options)


class TestCartPole(PlantConformance):
    steps = 100

    def make_plant(self, seed: int) -> Plant:
        return make("CartPole-v1", seed)


class TestPendulum(PlantConformance):
    """Continuous actions; episodes are cut off after 200 steps."""

    steps = 110

    def make_plant(self, seed: int) -> Plant:
        return make("Pendulum-v1", seed, frameskip=2, noops=5)


class TestBoxing(PlantConformance):
    steps = 45

    def make_plant(self, seed: int) -> Plant:
        return atari(seed, episode_ticks=30, noops=10, sticky=0.25)


@pytest.mark.parametrize(("id", "period_ns", "observation", "space"), [
    ("CartPole-v1", 20_000_000, "float32[4] -inf:inf", "A0 A1 = A0"),
    ("Pendulum-v1", 33_333_333, "float32[3] -8:8", "u0:-2:2 = 0"),
    ("MountainCarContinuous-v0", 33_333_333,
     "float32[2] -1.2000000476837158:0.6000000238418579", "u0:-1:1 = 0"),
    ("FrozenLake-v1", 250_000_000, "float32[16] 0:1", "A0 A1 A2 A3 = A0"),
])
def test_spec(id: str, period_ns: int, observation: str, space: str) -> None:
    spec = make(id).spec
    assert (spec.name, spec.period_ns) == (f"gymnasium:{id}", period_ns)
    assert (str(spec.observation), str(spec.actions)) == (observation, space)


def test_atari_spec() -> None:
    spec = atari().spec
    assert (spec.period_ns, str(spec.observation)) == (16_666_667, "uint8[1,84,84] 0:255")
    assert (spec.actions.size, spec.actions.labels[0], spec.actions.noop) == (18, "NOOP", (0.0,))
    minimal = make("ALE/NameThisGame-v5", frameskip=4, full_action_space=False).spec
    assert minimal.period_ns == 66_666_667
    assert str(minimal.actions) == "NOOP FIRE RIGHT LEFT RIGHT+FIRE LEFT+FIRE = NOOP"


def test_a_gamepad_can_send_atari_actions() -> None:
    space = atari().spec.actions
    layout = GamepadLayout.parse("FIRE=0 LEFT=axis6+ RIGHT=axis6- UP=axis7+ DOWN=axis7-", space)
    up_right = (float(space.labels.index("UP+RIGHT+FIRE")),)
    axes, buttons = layout.encode(up_right)
    assert (axes[6:], buttons) == ((-1.0, 1.0), (1,))
    assert GamepadLayout.parse("auto", space).space is space


def test_atari_is_what_the_library_gives() -> None:
    """No frame skip, no sticky actions, the grey screen reduced by area."""
    import ale_py
    import cv2

    plant = atari()
    gymnasium.register_envs(ale_py)
    env = gymnasium.make("ALE/Boxing-v5", frameskip=1, repeat_action_probability=0.0,
                         full_action_space=True, obs_type="grayscale")
    expected, _ = env.reset(seed=1)
    total, rewards = 0.0, 0.0
    for index, action in enumerate([(0.0,), *actions(plant.spec, 0, 200)]):
        if index:
            expected, reward, *_ = env.step(int(action[0]))
            total += float(reward)
        transition = plant.step(action)
        rewards += transition.reward
        assert np.array_equal(transition.observation[0],
                              cv2.resize(expected, (84, 84), interpolation=cv2.INTER_AREA))
    assert rewards == total
    env.close()


def test_frameskip_sums_rewards_and_takes_the_brighter_picture() -> None:
    single, fourfold = atari(), atari(frameskip=4)
    single.step((0.0,))
    fourfold.step((0.0,))
    for action in actions(single.spec, 1, 60):
        frames, tick = [single.step(action) for _ in range(4)], fourfold.step(action)
        assert tick.reward == sum(frame.reward for frame in frames)
        brighter = np.maximum(frames[2].observation, frames[3].observation)
        assert (tick.observation.astype(int) >= brighter.astype(int) - 1).all()


def test_frameskip_stops_at_an_end() -> None:
    plant = make("CartPole-v1", frameskip=4)
    transitions = run(plant, [(0.0,)] * 6)
    ends = [index for index, transition in enumerate(transitions) if transition.last]
    assert ends[0] <= 3
    assert sum(transition.reward for transition in transitions[:ends[0] + 1]) in range(8, 12)


def test_terminal_and_cut_off() -> None:
    fallen = next(t for t in run(make("CartPole-v1"), [(0.0,)] * 50) if t.last)
    timeout = next(t for t in run(make("Pendulum-v1"), [(0.0,)] * 202) if t.last)
    own = run(make("Pendulum-v1", episode_ticks=7), [(0.0,)] * 8)[-1]
    assert (fallen.discount, timeout.discount) == (0.0, 1.0)
    assert (own.last, own.discount) == (True, 1.0)


def test_pictures_of_other_environments_are_grey_and_small(
        monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")

    class Painter(gymnasium.Env):
        metadata: ClassVar[dict[str, object]] = {"render_modes": [], "render_fps": 10}
        observation_space = gymnasium.spaces.Box(0, 255, (168, 336, 3), np.uint8)
        action_space = gymnasium.spaces.Discrete(3, start=-1)

        def reset(self, *, seed: int | None = None, options: object = None):
            super().reset(seed=seed)
            return np.zeros((168, 336, 3), np.uint8), {}

        def step(self, action: int):
            picture = np.zeros((168, 336, 3), np.uint8)
            picture[:84, 168:] = (0, 255, 0)
            return picture, float(action), False, False, {}

    monkeypatch.setitem(gymnasium.registry, "Painter-v0",
                        gymnasium.envs.registration.EnvSpec("Painter-v0", Painter))
    plant = make("Painter-v0", noop="1")
    assert str(plant.spec.actions) == "A0 A1 A2 = A1"
    plant.step((1.0,))
    transition = plant.step((2.0,))
    assert transition.reward == 1.0, "choices count from -1 there"
    picture = transition.observation[0]
    assert (picture[:42, 42:] == 150).all() and picture.sum() == 150 * 42 * 42
    small = make("Painter-v0", size=20)
    assert str(small.spec.observation) == "uint8[1,20,20] 0:255"
    small.step((1.0,))
    picture = small.step((1.0,)).observation[0]
    assert (picture[:10, 10:] == 150).all() and picture.sum() == 150 * 10 * 10


@pytest.mark.parametrize(("id", "noop", "expected"), [
    ("CartPole-v1", "1", (1.0,)), ("CartPole-v1", "A1", (1.0,)), ("Pendulum-v1", "-0.5", (-0.5,))])
def test_noop(id: str, noop: str, expected: tuple[float, ...]) -> None:
    assert make(id, noop=noop).spec.actions.noop == expected


def test_period_and_arguments() -> None:
    assert make("CartPole-v1", period_ms=5).spec.period_ns == 5_000_000
    light, heavy = (run(make("Pendulum-v1", arguments=f"g={g}"), [(0.0,)] * 20) for g in (1, 9.8))
    assert same(light[0], heavy[0]) and not same(light[-1], heavy[-1])


@pytest.mark.parametrize(("options", "message"), [
    ({"id": "Nope-v0"}, "environment 'Nope-v0' cannot be made"),
    ({"id": "ALE/Nope-v5"}, "environment 'ALE/Nope-v5' cannot be made"),
    ({"id": "absent_module:Nope-v0"}, "environment 'absent_module:Nope-v0' cannot be made"),
    ({"arguments": "colour=1"}, "unexpected keyword argument 'colour'"),
    ({"arguments": "colour"}, "arguments 'colour': write it like 'continuous=true'"),
    ({"arguments": "colour=["}, "'[' is not a YAML value"),
    ({"noop": "7"}, "noop '7' is not an index below 2, nor one of A0, A1"),
    ({"id": "Pendulum-v1", "noop": "3"}, "noop '3' is not 1 numbers within (-2.0,) and (2.0,)"),
    ({"id": "Pendulum-v1", "noop": "x"}, "noop 'x' is not 1 numbers"),
    ({"frameskip": 0}, "frameskip: 0 is outside"),
    ({"sticky": 2}, "sticky: 2 is outside"),
])
def test_bad_options(options: dict[str, object], message: str) -> None:
    if str(options.get("id", "")).startswith("ALE"):
        pytest.importorskip("ale_py")
    with pytest.raises(PlantError) as error:
        registry.make("gymnasium", options, 0)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


class Odd(gymnasium.Env):
    """An environment whose parts a test replaces."""

    metadata: ClassVar[dict[str, object]] = {"render_modes": [], "render_fps": 10}
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: object = None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action: int):
        return np.zeros(2, np.float32), 0.0, False, False, {}


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Odd]]:
    monkeypatch.setitem(gymnasium.registry, "Odd-v0",
                        gymnasium.envs.registration.EnvSpec("Odd-v0", Odd))
    for name in ("metadata", "observation_space", "action_space"):
        monkeypatch.setattr(Odd, name, getattr(Odd, name))
    yield Odd


@pytest.mark.parametrize(("name", "value", "message"), [
    ("metadata", {"render_modes": []}, r"does not say its rate \(render_fps\): set period_ms"),
    ("action_space", gymnasium.spaces.MultiBinary(2), "neither Discrete nor a Box with limits"),
    ("action_space", gymnasium.spaces.Box(-np.inf, np.inf, (2,)), "Box with limits"),
    ("observation_space", gymnasium.spaces.Sequence(gymnasium.spaces.Discrete(2)),
     "neither a picture nor a vector"),
])
def test_environments_that_do_not_fit(
        odd: type[Odd], name: str, value: object, message: str) -> None:
    setattr(odd, name, value)
    with pytest.raises(PlantError, match=message):
        make("Odd-v0")


def test_an_environment_that_does_not_repeat_itself(
        odd: type[Odd], monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    monkeypatch.setattr(odd, "step", lambda self, action: (
        random.uniform(-1, 1, 2).astype(np.float32), 0.0, False, False, {}))
    plant = make("Odd-v0")
    run(plant, [(0.0,)] * 5)
    with pytest.raises(PlantError, match="'gymnasium:Odd-v0' does not repeat itself"):
        plant.load_state(plant.save_state())
    assert plant.step((0.0,)).first


def test_an_episode_without_end_is_forgotten_rather_than_kept(
        odd: type[Odd], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gymnasium_plant, "_REMEMBERED", 50)
    plant = make("Odd-v0")
    run(plant, [(0.0,)] * 51)
    plant.load_state(plant.save_state())
    sizes = set()
    for _ in range(500):
        plant.step((0.0,))
        sizes.add(len(plant._history))  # type: ignore[attr-defined]
    assert sizes == {0}
    with pytest.raises(PlantError, match="an episode of 550 ticks is too long to be saved; cut "
                                         "episodes off, with the option episode_ticks"):
        plant.save_state()
    plant.reset()
    run(plant, [(0.0,)] * 3)
    plant.load_state(plant.save_state())


def test_state_of_another_environment() -> None:
    state = make("CartPole-v1").save_state()
    with pytest.raises(PlantError, match="of another environment than 'MountainCar-v0"):
        make("MountainCar-v0").load_state(state)


def test_state_with_pictures_of_another_size() -> None:
    state = atari(size=42).save_state()
    with pytest.raises(PlantError, match="ALE/Boxing-v5  frameskip=1 size=42"):
        atari().load_state(state)


def test_states_of_before_parts_could_be_chosen_are_taken() -> None:
    plant = make("CartPole-v1")
    assert plant._environment == (  # type: ignore[attr-defined]
        "CartPole-v1  frameskip=1 size=84 full_action_space=True sticky=0.0 noop=(0.0,)")
    other = make("CartPole-v1", observe="vector")
    with pytest.raises(PlantError, match=r"of another environment than .* observe=vector'"):
        other.load_state(plant.save_state())


def test_closed_plant_says_so() -> None:
    plant = make("CartPole-v1")
    plant.close()
    with pytest.raises(PlantError, match="closed"):
        plant.step((0.0,))


@pytest.mark.parametrize("module", ["gymnasium", "ale_py", "cv2"])
def test_missing_library(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    pytest.importorskip("ale_py")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=rf"{module} is not installed.*\[gym\]"):
        make("ALE/Boxing-v5")
