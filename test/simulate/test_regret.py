"""Realtime regret of recorded episodes: each term by itself, their sum, and their intervals."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bags.played import START_NS, record
from hypothesis import given
from hypothesis import strategies as st

from policies import tiny_policies
from realtime_rl.bags import run_record
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.run_record import Origin
from realtime_rl.cli.main import main
from realtime_rl.core.control import default_policy
from realtime_rl.core.errors import BagError
from realtime_rl.core.figures.intervals import Interval
from realtime_rl.core.figures.regret import TERMS, Decomposition, Pattern, Returns, pattern_of
from realtime_rl.core.messages.records import Command, Timestep
from realtime_rl.core.observations import Observation, ObservationSpec
from realtime_rl.core.peers.deaths import Deaths
from realtime_rl.core.types import Action, Cause
from realtime_rl.plants import registry
from realtime_rl.plants.counter import CounterOptions, CounterPlant
from realtime_rl.simulate.regret import Beginning, Judge, beginnings, judged
from realtime_rl.simulate.replaying import following

SIZE, TICKS = 4, 20
OPTIONS = CounterOptions(actions=SIZE, episode_ticks=TICKS, random_phase=True)
NOOP = default_policy.make("noop", CounterPlant(OPTIONS, 0).spec.actions)


def ahead(ticks: int) -> Judge:
    """Right where its action is applied so many ticks later."""
    def act(observation: Observation, history: object) -> Action:
        return (float((int(observation[1]) + ticks) % SIZE),)
    return Judge(act)


def beginning(plant: CounterPlant, pattern: Pattern, recorded: float = 0.0) -> Beginning:
    plant.reset()
    return Beginning(0, 0.0, plant.save_state(), (), pattern, recorded)


def steady(delay: int, acted: tuple[bool, ...] | None = None) -> Pattern:
    return Pattern((delay,) * (TICKS + 1), acted or (True,) * (TICKS + 1), (1,) * (TICKS + 1))


def test_each_term_is_what_its_cause_costs() -> None:
    plant = CounterPlant(OPTIONS, 3)
    acted = tuple(tick % 5 != 4 for tick in range(TICKS + 1))
    found = judged(beginning(plant, steady(3, acted), 7.0), plant, lambda version: ahead(3),
                   ahead(1), NOOP)
    # alone it is two ticks too far ahead; with its delay it is right but for the first two ticks
    assert found.reference == TICKS
    assert found.alone == 0.0
    assert TICKS - 2 <= found.delayed <= TICKS
    assert found.inactive < found.delayed
    assert found.terms["learning"] == TICKS and found.terms["delay"] == -found.delayed
    assert found.terms["rest"] == found.inactive - 7.0


@given(steps=st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5))
def test_the_terms_add_up_to_the_regret(steps: list[float]) -> None:
    each = Returns(0, 0.0, *steps)
    assert list(each.terms) == list(TERMS)
    assert math.isclose(sum(each.terms.values()), each.regret, abs_tol=1e-6)


def test_beyond_its_recorded_end_a_pattern_begins_anew_without_its_first_tick() -> None:
    pattern = pattern_of(range(10, 15), [-1, 5, -1, 11, 12], [False, True, False, True, True],
                         [-1, 3, -1, 3, 4], (9, 2))
    assert pattern.delays == (9, 6, 6, 2, 2)
    assert pattern.versions == (2, 3, 3, 3, 4)
    assert [pattern.place(tick) for tick in range(10)] == [0, 1, 2, 3, 4, 1, 2, 3, 4, 1]


def covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def test_the_intervals_cover_what_is_known_in_closed_form() -> None:
    """Half of the episodes have a delay for which the policy is right, the others one too many.

    The first of the two ticks that no observation answers is right at one of `SIZE` phases, as
    the no-op is; and so is a tick at which nothing acts.
    """
    rng = np.random.default_rng(1)
    plant = CounterPlant(OPTIONS, 1)
    covered = {"delay": 0, "inaction": 0}
    idle = 0.3
    for _ in range(100):
        returns = []
        for _ in range(12):
            delay = int(rng.integers(1, 3))
            acted = (False, *(rng.random(TICKS) >= idle).tolist())
            returns.append(judged(beginning(plant, steady(delay, acted)), plant,
                                  lambda version: ahead(1), ahead(1), NOOP))
        means = Decomposition(tuple(returns)).means
        # at delay 1 all ticks are right; at delay 2 the first alone may be, by the no-op
        covered["delay"] += covers(means["delay"], (TICKS - 1 / SIZE) / 2)
        covered["inaction"] += covers(
            means["inaction"], idle * (TICKS * (1 - 1 / SIZE) - (TICKS - 1) / SIZE) / 2)
    assert all(90 <= count <= 100 for count in covered.values()), covered


Played = list[tuple[Timestep, Observation]]


def played(ticks: int, delay: int, judge: Judge, *, plant: CounterPlant | None = None
           ) -> Played:
    """A run of a counter whose policy acts late, and at every sixth tick not at all."""
    plant, found = plant or CounterPlant(OPTIONS, 3), []
    seen: dict[int, Observation] = {}
    for tick in range(ticks):
        answered = tick - delay
        acts = answered in seen and tick % 6 != 0
        command = (Command(Cause.POLICY, judge.act(seen[answered], ()), 0, 7, answered)
                   if acts else Command(Cause.DEFAULT, plant.spec.actions.noop))
        done = plant.step(command.action)
        seen[tick] = done.observation
        found.append((Timestep.latching(
            command, stamp_ns=START_NS + tick * plant.spec.period_ns, tick=tick,
            period_ns=plant.spec.period_ns, episode=tick // (TICKS + 1), reward=done.reward,
            discount=done.discount, first=done.first, last=done.last, plant="counter"),
            done.observation))
    return found


def make() -> CounterPlant:
    return CounterPlant(OPTIONS, 3)


@pytest.mark.parametrize("delay", [1, 3, 9])
def test_what_is_deterministic_leaves_no_rest(delay: int, tmp_path: Path) -> None:
    spec = make().spec
    run = read_run(record(tmp_path / "bag", played(5 * (TICKS + 1) + 4, delay, ahead(2)),
                          spec.observation))
    plant = make()
    found = [judged(each, plant, lambda version: ahead(2), ahead(1), NOOP)
             for each in beginnings(run, make)]
    assert [each.tick for each in found] == [place * (TICKS + 1) for place in range(5)]
    assert [each.terms["rest"] for each in found] == [0.0] * 5
    assert {each.reference for each in found} == {float(TICKS)}
    half = list(beginnings(run, make, 2))
    assert [each.tick for each in half] == [0, 2 * (TICKS + 1)]


def test_an_episode_that_was_not_recorded_from_its_beginning_is_left_out(tmp_path: Path) -> None:
    run = read_run(record(tmp_path / "bag", played(4 * (TICKS + 1), 2, ahead(2)),
                          make().spec.observation, lost=range(5, 8)))
    assert [each.tick for each in beginnings(run, make)] == [
        place * (TICKS + 1) for place in (1, 2, 3)]
    assert [plant is None for _, plant in following(run, make)][:20] == (
        [False] * 5 + [True] * 13 + [False] * 2)


def test_what_cannot_be_repeated_is_refused(tmp_path: Path) -> None:
    steps = played(3 * (TICKS + 1), 2, ahead(2))
    other = [(replace(step, reward=0.5) if step.tick == 30 else step, seen) for step, seen in steps]
    run = read_run(record(tmp_path / "other", other, make().spec.observation))
    with pytest.raises(BagError, match=r"cannot be played once more.*tick 30: reward was 0.5"):
        list(beginnings(run, make))
    idle = [(replace(step, cause=Cause.DEFAULT), seen) for step, seen in steps]
    run = read_run(record(tmp_path / "idle", idle, make().spec.observation))
    with pytest.raises(BagError, match="no policy acted"):
        list(beginnings(run, make))


LIT = ("observation=image", f"actions={SIZE}", f"episode_ticks={TICKS}", "random_phase=true")


def lit() -> CounterPlant:
    plant = registry.make("counter", registry.parse_options(list(LIT)), 3)
    assert isinstance(plant, CounterPlant)
    return plant


def policy(folder: Path, ticks: int, version: int) -> Path:
    """A network that is right where its action is applied so many ticks later."""
    spec = lit().spec
    assert isinstance(spec.observation, ObservationSpec)
    weights = np.zeros((64, SIZE))
    for pixel in range(SIZE):
        weights[pixel, (pixel + ticks) % SIZE] = 1.0
    proto = tiny_policies.model(spec.observation, 1, weights)
    about = tiny_policies.metadata(observation=spec.observation, stack=1, actions=spec.actions,
                                   version=version)
    for key, value in about.to_props().items():
        proto.metadata_props.add(key=key, value=value)
    path = folder / f"policy-{version}.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A run of a policy that is a tick too late, with what its runner notes beside it."""
    file = policy(tmp_path, 2, 7)
    right = Judge(lambda seen, history: (float((int(seen.argmax()) + 2) % SIZE),))
    folder = record(tmp_path / "bag", played(4 * (TICKS + 1), 3, right, plant=lit()),
                    lit().spec.observation)
    run_record.write(folder, Deaths(), "", origin=Origin("counter", LIT, 3, file.as_uri()))
    return folder


def figures(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["regret", *words, "--json", "-"]) == 0
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


def test_the_verb_needs_nothing_but_the_bag(bag: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    best = policy(tmp_path, 1, 9)
    found = figures(capsys, str(bag), "--reference", str(best))
    assert found["episodes"] == 4 and found["reason"] is None
    terms = {name: term["mean"] for name, term in found["terms"].items()}
    assert terms["learning"] == TICKS  # at delay 1 the policy is always a tick ahead
    assert terms["delay"] <= 0.0 and terms["inaction"] > -TICKS and terms["rest"] == 0.0
    assert sum(terms.values()) == pytest.approx(found["regret"]["mean"])
    assert main(["regret", str(bag), "--episodes", "2", "--plot", str(tmp_path / "r.svg")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2 episodes; regret an episode against 'newest' at delay 1:")
    assert "learning      0.000  [0.000, 0.000]" in out
    assert "aims ahead, as it was trained at a delay: of learning and delay only the sum" in out
    assert (tmp_path / "r.svg").read_text().startswith("<?xml")


def test_a_version_whose_file_is_gone_is_named(bag: Path, tmp_path: Path,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = (tmp_path / "policy-7.onnx").rename(tmp_path / "kept.onnx")
    assert main(["regret", str(bag)]) == 2
    assert "version 7 acted, and its file is not to be had: name it with --policy; " \
        "learner.keep=0 keeps all" in capsys.readouterr().err
    assert figures(capsys, str(bag), "--policy", str(elsewhere))["episodes"] == 4


@pytest.mark.parametrize(("words", "message"), [
    (["--reference", "player"], "there is a script for 'catch' alone, not for 'counter'"),
    (["--episodes", "-1"], "--episodes -1 must be 0 or more"),
    (["--plot", "r.pdf"], "name it .svg"),
    (["--reference", "absent.onnx"], "absent.onnx"),
    (["--plant", "counter", "--plant-option", f"actions={SIZE + 1}"], "the plant takes 'A0"),
])
def test_bad_input_is_one_line(bag: Path, words: list[str], message: str,
                               capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["regret", str(bag), *words]) == 2
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 1 and message in err[0]


def test_of_a_robot_inaction_alone_is_known(bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_record.write(bag, Deaths(), "", origin=Origin("", (), 0, ""))
    found = figures(capsys, str(bag))
    assert found["terms"] == dict.fromkeys(TERMS) and found["regret"] is None
    assert "it is a robot's" in found["reason"] and 0.0 < found["inaction_fraction"] < 0.3


def test_a_bag_that_does_not_say_its_plant_needs_to_be_told(
        bag: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bag / run_record.NAME).unlink()
    assert main(["regret", str(bag)]) == 2
    assert "give --plant, --plant-option and --seed" in capsys.readouterr().err
