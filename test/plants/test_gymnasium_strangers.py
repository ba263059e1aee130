"""Gymnasium environments of other people: their rates, their spaces, their mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from realtime_rl.core.errors import PlantError
from realtime_rl.core.observations import split
from realtime_rl.core.types import PlantSpec
from realtime_rl.plants import registry
from realtime_rl.plants.base import Plant

gymnasium = pytest.importorskip("gymnasium")
spaces = gymnasium.spaces


class Stranger(gymnasium.Env):
    """An environment whose parts a test replaces."""

    metadata: ClassVar[dict[str, object]] = {"render_modes": [], "render_fps": 60}
    observation_space: Any = spaces.Box(-1, 1, (2,))
    action_space: Any = spaces.Discrete(3)

    def __init__(self, **arguments: Any) -> None:
        for name, value in arguments.items():
            setattr(self, name, value)

    def reset(self, *, seed: int | None = None, options: object = None) -> Any:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        return self.observation_space.sample(), 1.0, False, False, {}


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Stranger]]:
    for name in ("metadata", "observation_space", "action_space", "__init__", "reset", "step"):
        monkeypatch.setattr(Stranger, name, getattr(Stranger, name))
    register(monkeypatch, Stranger)
    yield Stranger


def register(monkeypatch: pytest.MonkeyPatch, entry: Callable[..., Any], **arguments: Any) -> None:
    monkeypatch.setitem(gymnasium.registry, "Stranger-v0", gymnasium.envs.registration.EnvSpec(
        "Stranger-v0", entry, kwargs=arguments))


def make(**options: object) -> Plant:
    return registry.make("gymnasium", {"id": "Stranger-v0", **options}, 0)


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(self: object, *arguments: object, **named: object) -> Any:
        raise error
    return fail


def rate(spec: PlantSpec) -> tuple[float, str]:
    return round(1e9 / spec.period_ns, 3), spec.rate


# --- rates ---


def test_a_step_of_several_frames_takes_as_long_as_they(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    assert rate(make().spec) == (60.0, "60 ticks a second: 60 frames a second (render_fps), "
                                       "1 a step, 1 step(s) a tick")
    register(monkeypatch, stranger, frame_skip=4)
    assert rate(make().spec)[0] == 15.0
    assert rate(make(arguments="frame_skip=6", frameskip=2).spec) == (
        5.0, "5 ticks a second: 60 frames a second (render_fps), 6 a step, 2 step(s) a tick")
    register(monkeypatch, stranger, frameskip=3)
    assert rate(make().spec)[0] == 20.0


def test_a_wrapper_that_skips_frames_counts_too(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    def wrapped(**arguments: Any) -> Any:
        return gymnasium.wrappers.MaxAndSkipObservation(stranger(**arguments), skip=3)

    register(monkeypatch, wrapped, frame_skip=4)
    assert rate(make().spec)[0] == 5.0


def test_where_render_fps_is_of_steps_they_are_not_divided_twice(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, stranger, frame_skip=5, dt=1 / 60)  # as MuJoCo says it
    assert rate(make().spec)[0] == 60.0
    register(monkeypatch, stranger, frame_skip=5, dt=1 / 300)
    assert rate(make().spec)[0] == 12.0


@pytest.mark.parametrize(("metadata", "arguments", "message"), [
    ({}, {}, r"it does not say its rate \(render_fps\): set period_ms"),
    ({"render_fps": "60"}, {}, "does not say its rate"),
    ({"render_fps": 0}, {}, "does not say its rate"),
    ({"render_fps": 60}, {"frame_skip": (2, 5)}, r"frames a step vary: \(2, 5\): set period_ms"),
])
def test_a_rate_that_cannot_be_known_is_asked_for(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch, metadata: dict[str, object],
        arguments: dict[str, object], message: str) -> None:
    stranger.metadata = {"render_modes": [], **metadata}
    register(monkeypatch, stranger, **arguments)
    with pytest.raises(PlantError, match=message):
        make()
    found, text = rate(make(period_ms=50).spec)
    assert found == 20.0 and text.startswith("20 ticks a second, as period_ms says (")


def test_a_rate_of_ones_own_says_what_it_replaces(stranger: type[Stranger]) -> None:
    assert make(period_ms=50, frameskip=2).spec.rate == (
        "20 ticks a second, as period_ms says, where its own would be 30 (60 frames a second "
        "(render_fps), 1 a step, 2 step(s) a tick)")


@pytest.mark.parametrize(("id", "arguments", "hz", "text"), [
    ("ALE/Pong-v5", "", 60.0, "60 frames a second, 1 a step, 1 step(s) a tick; in place of the "
     "id's frameskip=4 repeat_action_probability=0.25, which "
     "arguments='frameskip=4 repeat_action_probability=0.25' keeps"),
    ("ale_py:ALE/Pong-v5", "", 60.0, "1 a step"),
    ("ale_py:ALE/Pong-v5", "frameskip=4", 15.0, "4 a step, 1 step(s) a tick; in place of the id's "
     "repeat_action_probability=0.25"),
    ("ALE/Pong-v5", "frameskip=4 repeat_action_probability=0.25", 15.0, "4 a step"),
    ("PongNoFrameskip-v4", "", 60.0, "60 frames a second, 1 a step, 1 step(s) a tick"),
    ("ale_py:PongNoFrameskip-v4", "frameskip=4", 15.0, "4 a step"),
    ("Pong-v4", "", 60.0, "in place of the id's frameskip=[2,5], which"),
])
def test_atari_games_keep_their_own_time_whatever_their_id(
        id: str, arguments: str, hz: float, text: str) -> None:
    pytest.importorskip("ale_py")
    pytest.importorskip("cv2")
    spec = registry.make("gymnasium", {"id": id, "arguments": arguments}, 0).spec
    assert rate(spec)[0] == pytest.approx(hz, abs=0.001)
    assert text in spec.rate
    assert (str(spec.observation), spec.actions.size) == ("uint8[1,84,84] 0:255", 18)


def test_frames_a_step_that_vary_in_an_atari_game_are_asked_for() -> None:
    pytest.importorskip("ale_py")
    pytest.importorskip("cv2")
    with pytest.raises(PlantError, match=r"its frames a step vary: \(2, 5\): set period_ms"):
        registry.make("gymnasium", {"id": "Pong-v4", "arguments": "frameskip=[2,5]"}, 0)


# --- what is observed ---


GREY = "uint8[1,84,84] 0:255"
BYTES = np.uint8


def box(*shape: int, dtype: Any = BYTES, low: float = 0, high: float = 255) -> Any:
    return spaces.Box(low, high, shape, dtype)


@pytest.mark.parametrize("space", [
    box(40, 60), box(40, 60, 1), box(40, 60, 3), box(1, 40, 60), box(3, 40, 60),
    box(40, 60, 3, dtype=np.int32), box(40, 60, 3, dtype=np.float32),
    box(3, 40, 60, dtype=np.float32, high=1)])
def test_pictures_of_any_known_layout_are_pictures(stranger: type[Stranger], space: Any) -> None:
    pytest.importorskip("cv2")
    stranger.observation_space = space
    plant = make()
    assert str(plant.spec.observation) == GREY
    picture = plant.step((0.0,)).observation
    assert (picture.shape, picture.dtype) == ((1, 84, 84), np.uint8)
    assert 40 < picture.mean() < 215, "noise is neither black nor white"


def test_layouts_of_one_picture_give_the_same(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")
    last = np.random.default_rng(0).integers(0, 256, (50, 84, 3)).astype(np.uint8)
    seen = []
    for space, value in ((box(50, 84, 3), last), (box(3, 50, 84), np.moveaxis(last, 2, 0)),
                         (box(50, 84, 3, dtype=np.float32, high=1), last / np.float32(255))):
        stranger.observation_space = space
        monkeypatch.setattr(stranger, "reset",
                            lambda self, seed=None, options=None, value=value: (value, {}))
        seen.append(make().step((0.0,)).observation)
    assert all(np.array_equal(seen[0], other) for other in seen[1:])


@pytest.mark.parametrize(("space", "message"), [
    (box(4, 84, 84), r"may be a picture or not; set observe=picture or observe=vector; several "
     r"pictures are joined by the learner \(learner\.stack\)"),
    (box(84, 84, 4), "may be a picture or not"),
    (box(7, 7, 3), "may be a picture or not; set observe=picture or observe=vector$"),
    (box(4, 84, 84, 1), "is no picture of a known layout"),
    (box(2, 84, 84), "is no picture of a known layout"),
    (box(84, 84, 2), "is no picture of a known layout"),
    (box(84, 84, dtype=np.float32, high=1), "may be a picture or not"),
    (box(84, 84, 3, dtype=np.float32, low=-1, high=1), "may be a picture or not"),
    (box(84, 84, 3, high=1), "may be a picture or not"),
])
def test_what_may_be_a_picture_is_asked_about_never_guessed(
        stranger: type[Stranger], space: Any, message: str) -> None:
    stranger.observation_space = space
    with pytest.raises(PlantError, match=rf"^environment 'Stranger-v0' .*{message}"):
        make()
    assert make(observe="vector").spec.observation.shape == (int(np.prod(space.shape)),)


@pytest.mark.parametrize("space", [
    box(7, 7, 3), box(84, 84, 4), box(4, 84, 84), box(84, 84, 3, high=1),
    box(84, 84, 3, dtype=np.float32, low=-1, high=1)])
def test_a_picture_that_is_said_to_be_one_is_one(stranger: type[Stranger], space: Any) -> None:
    pytest.importorskip("cv2")
    stranger.observation_space = space
    plant = make(observe="picture")
    assert str(plant.spec.observation) == GREY
    assert 40 < plant.step((0.0,)).observation.mean() < 215


@pytest.mark.parametrize("space", [box(2), box(4, 84, 84, 1), spaces.Discrete(3),
                                   box(84, 84, dtype=np.float32, high=np.inf)])
def test_what_is_no_picture_is_none_even_if_it_is_said_to_be(
        stranger: type[Stranger], space: Any) -> None:
    stranger.observation_space = space
    with pytest.raises(PlantError, match=r"(no picture of a|has no limits).*; set observe=vector"):
        make(observe="picture")


class Mission(spaces.Space):
    """A space that flattens to nothing and says so with an error without words, as MiniGrid's."""

    def __init__(self) -> None:
        super().__init__(dtype=str)

    def sample(self, mask: object = None, probability: object = None) -> str:
        return "go"

    def contains(self, x: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "Mission()"


GRID = {"direction": spaces.Discrete(4), "image": box(7, 7, 3), "mission": Mission()}


@pytest.mark.parametrize(("space", "message"), [
    (Mission(), "Mission() is neither a picture nor a vector"),
    (spaces.Text(9), "is neither a picture nor a vector"),
    (spaces.Dict(GRID), "'mission' cannot be joined to one; observe one: part=direction or "
                        "part=image"),
    (spaces.Dict({"a": spaces.Tuple([spaces.Text(3), box(3)])}),
     "'a.0' cannot be joined to one; observe one: part=a.1"),
    (spaces.Dict({"a.b": box(64, 64, 3), "a": spaces.Dict({"b": box(6, dtype=np.float32)})}),
     "its parts 'a.b' and 'a.b' would both be called 'a_b'"),
    (spaces.Tuple([Mission()]), "'0' cannot be joined to one"),
])
def test_parts_that_are_no_vector_are_named(
        stranger: type[Stranger], space: Any, message: str) -> None:
    stranger.observation_space = space
    with pytest.raises(PlantError) as caught:
        make()
    assert str(caught.value).startswith("environment 'Stranger-v0' does not fit: ")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_one_part_can_be_observed_alone(stranger: type[Stranger]) -> None:
    pytest.importorskip("cv2")
    stranger.observation_space = spaces.Dict(
        {**GRID, "views": spaces.Tuple([box(64, 64, 3), box(5, dtype=np.float32)])})
    assert str(make(part="direction").spec.observation) == "float32[4] 0:1"
    codes = make(part="image", observe="vector")
    assert codes.spec.observation.shape == codes.step((0.0,)).observation.shape == (147,)
    view = make(part="views.0", frameskip=2)
    assert str(view.spec.observation) == GREY
    view.step((0.0,))
    assert view.step((0.0,)).observation.shape == (1, 84, 84)
    with pytest.raises(PlantError, match=r"part 'views\.2': there is no '2' in Tuple"):
        make(part="views.2")
    with pytest.raises(PlantError, match=r"part 'mission\.x': there is no 'x'"):
        make(part="mission.x")


@pytest.mark.parametrize(("options", "spec"), [
    ({}, "arm_grip=float32[2] 0:1; arm_joints=float32[6] -1:1; camera=uint8[1,84,84] 0:255"),
    ({"colour": True, "size": 32},
     "arm_grip=float32[2] 0:1; arm_joints=float32[6] -1:1; camera=uint8[3,32,32] 0:255"),
    ({"observe": "vector"}, f"float32[{64 * 64 * 3 + 8}] -1:255"),
    ({"part": "arm"}, "float32[8] -1:1"),
    ({"part": "arm", "observe": "parts"}, "grip=float32[2] 0:1; joints=float32[6] -1:1"),
    ({"part": "camera", "observe": "parts"}, GREY)])
def test_parts_of_a_dict_are_parts_of_the_observation(
        stranger: type[Stranger], options: dict[str, Any], spec: str) -> None:
    pytest.importorskip("cv2")
    stranger.observation_space = spaces.Dict({
        "camera": box(64, 64, 3),
        "arm": spaces.Dict({"joints": spaces.Box(-1.0, 1.0, (6,), np.float32),
                            "grip": spaces.Discrete(2)})})
    plant = make(frameskip=2, **options)
    assert str(plant.spec.observation) == spec
    for _ in range(3):
        observation = plant.step((0.0,)).observation
        for part, value in zip(plant.spec.observation.parts, split(observation), strict=True):
            assert (value.shape, value.dtype) == (part.shape, np.dtype(part.dtype))


def test_a_part_keeps_its_colours(stranger: type[Stranger]) -> None:
    pytest.importorskip("cv2")
    stranger.observation_space = spaces.Dict({"view": box(32, 32, 3), "x": box(1)})
    plant = make(colour=True, size=32)
    shown = np.zeros((32, 32, 3), np.uint8)
    shown[..., 0], shown[:, 16:, 2] = 200, 99
    plant._newest = plant._observations.pick({"view": shown, "x": np.zeros(1, np.uint8)})
    assert np.array_equal(plant._observed()["view"], shown.transpose(2, 0, 1))


# --- what the choices are called ---


@pytest.mark.parametrize(("given", "labels"), [
    (["NOOP", "UPRIGHTFIRE", "LEFT"], "NOOP UP+RIGHT+FIRE LEFT = NOOP"),
    (["turn left", " do=it ", "a:b"], "turn_left do_it a_b = turn_left"),
    (["go", "go", "NOOP"], "go_0 go_1 NOOP = NOOP"),
    (["go", "go", "go_0"], "A0 A1 A2 = A0"),
    (["", "x", "y"], "A0 x y = A0"),
    (["NOOP", "FIRE"], "A0 A1 A2 = A0"),
    ([0, 1, 2], "0 1 2 = 0"),
    (None, "A0 A1 A2 = A0"),
])
def test_choices_are_called_what_they_can_be_called(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch, given: Any, labels: str) -> None:
    monkeypatch.setattr(stranger, "get_action_meanings", lambda self: given, raising=False)
    assert str(make().spec.actions) == labels


def test_choices_whose_names_cannot_be_had_have_numbers(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "get_action_meanings", raising(IndexError("17")), raising=False)
    assert str(make().spec.actions) == "A0 A1 A2 = A0"


def test_names_of_an_inner_layer_are_not_those_of_other_actions(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    """As when three of Atari's 18 actions are left: index 17 was an IndexError."""
    monkeypatch.setattr(stranger, "get_action_meanings", lambda self: ["NOOP", "UP", "DOWN"],
                        raising=False)

    class Turned(gymnasium.ActionWrapper):
        def action(self, action: int) -> int:
            return 2 - action

    def wrapped(space: Any, names: list[str] | None = None) -> Any:
        env = Turned(stranger())
        env.action_space = space
        if names:
            env.get_action_meanings = lambda: names
        return env

    for size in (2, 3):
        register(monkeypatch, wrapped, space=spaces.Discrete(size))
        plant = make()
        assert plant.spec.actions.labels == ("A0", "A1", "A2")[:size]
        for action in range(size):
            plant.step((float(action),))
    register(monkeypatch, wrapped, space=spaces.Discrete(2), names=["down", "up"])
    assert make().spec.actions.labels == ("down", "up")


# --- mistakes ---


ERRORS = [ValueError("bad\n  value"), AssertionError(), FileNotFoundError(2, "No such file", "x"),
          KeyError("colour"), gymnasium.error.DependencyNotInstalled("pygame is not installed"),
          NotImplementedError(), RuntimeError("no display"), IndexError("17"), SystemExit(3),
          AttributeError("'NoneType' object"), ZeroDivisionError("division by zero")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(("method", "what"), [
    ("__init__", "cannot be made"), ("reset", "fails in its reset"), ("step", "fails in a step"),
    ("close", "cannot be closed")])
def test_whatever_an_environment_raises_is_one_line_with_its_name(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch, method: str, what: str,
        error: BaseException) -> None:
    monkeypatch.setattr(stranger, method, raising(error))
    with pytest.raises(PlantError) as caught:
        plant = make()
        plant.step((0.0,))
        plant.step((0.0,))
        plant.close()
    told = str(caught.value)
    assert told.startswith(f"environment 'Stranger-v0' {what}: {type(error).__name__}")
    assert "\n" not in told and " ".join(str(error).split()) in told


@pytest.mark.parametrize(("method", "answer", "message"), [
    ("reset", np.zeros(2), "fails in its reset: it gives no observation and info but a ndarray"),
    ("reset", None, "but a NoneType"),
    ("step", (np.zeros(2), 1.0, False, {}), "fails in a step: it gives no observation, reward, "
     "terminated, truncated and info but 4 values; those of Gym before 0.26 differ"),
    ("step", (np.zeros(2), "much", False, False, {}), "fails in a step: ValueError: could not"),
    ("step", (np.zeros(3), 1.0, False, False, {}), "cannot be observed: an observation has shape "
     r"\(3,\), its space says \(2,\)"),
    ("step", (None, 1.0, False, False, {}), "cannot be observed: "),
    ("step", ({}, 1.0, False, False, {}), "cannot be observed: "),
])
def test_answers_that_are_none_are_told(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch, method: str, answer: Any,
        message: str) -> None:
    monkeypatch.setattr(stranger, method, lambda self, *args, **named: answer)
    plant = make()
    with pytest.raises(PlantError, match=f"^environment 'Stranger-v0' .*{message}"):
        plant.step((0.0,))
        plant.step((0.0,))


def test_a_reset_that_takes_no_seed_is_told(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stranger, "reset", lambda self: (np.zeros(2), {}))
    with pytest.raises(PlantError, match=r"v0' fails in its reset: TypeError: .*'seed'"):
        make().step((0.0,))


@pytest.mark.parametrize(("name", "space"), [
    ("action_space", spaces.Box(0.0, 0.0, (1,))), ("observation_space", spaces.Box(1.0, 1.0, (1,))),
    ("observation_space", spaces.Dict({})), ("action_space", None), ("observation_space", None)])
def test_spaces_without_content_are_told(
        stranger: type[Stranger], name: str, space: Any) -> None:
    setattr(stranger, name, space)
    with pytest.raises(PlantError, match="environment 'Stranger-v0' does not fit: "):
        make()


def test_a_picture_of_another_shape_is_told(
        stranger: type[Stranger], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2")
    stranger.observation_space = box(40, 60, 3)
    monkeypatch.setattr(stranger, "reset", lambda self, seed=None, options=None: (
        np.zeros((60, 40, 3)), {}))
    with pytest.raises(PlantError, match=r"shape \(60, 40, 3\), its space says \(40, 60, 3\)"):
        make().step((0.0,))
