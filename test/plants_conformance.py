"""The suite that every plant passes: implement `make_plant`, inherit every test."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from realtime_rl.core.errors import PlantError
from realtime_rl.core.observations import array_dtype, split
from realtime_rl.core.types import Action, PlantSpec, Transition
from realtime_rl.plants.base import Plant


def actions(spec: PlantSpec, seed: int, count: int) -> list[Action]:
    """Return random actions of the plant's space."""
    random = np.random.default_rng(seed)
    if spec.actions.discrete:
        return [(float(index),) for index in random.integers(spec.actions.size, size=count)]
    rows = random.uniform(spec.actions.low, spec.actions.high, (count, spec.actions.size))
    return [tuple(map(float, row)) for row in rows]


def same(one: Transition, other: Transition) -> bool:
    return (np.array_equal(one.observation, other.observation)
            and (one.reward, one.discount, one.first, one.last, one.counters)
            == (other.reward, other.discount, other.first, other.last, other.counters))


def run(plant: Plant, sequence: list[Action]) -> list[Transition]:
    return [plant.step(action) for action in sequence]


class PlantConformance:
    """Tests of the contract in `realtime_rl.plants.base`."""

    steps = 300
    """Enough for at least one end of an episode under random actions."""

    def make_plant(self, seed: int) -> Plant:
        raise NotImplementedError

    @pytest.fixture
    def plant(self) -> Iterator[Plant]:
        plant = self.make_plant(1)
        yield plant
        plant.close()

    def test_spec_is_constant(self, plant: Plant) -> None:
        before = plant.spec
        run(plant, actions(before, 0, 5))
        assert plant.spec == before
        assert before.name and before.period_ns > 0

    def test_observations_fit_the_spec(self, plant: Plant) -> None:
        spec = plant.spec.observation
        for transition in run(plant, actions(plant.spec, 0, 50)):
            observation = transition.observation
            assert (observation.dtype, observation.shape) == array_dtype(spec)
            for part, value in zip(spec.parts, split(observation), strict=True):
                assert (value.shape, value.dtype) == (part.shape, part.dtype)
                assert part.low <= value.min() <= value.max() <= part.high

    def test_observations_are_not_overwritten(self, plant: Plant) -> None:
        transitions, copies = [], []
        for action in actions(plant.spec, 0, 20):
            transitions.append(plant.step(action).observation)
            copies.append(transitions[-1].copy())
        assert all(map(np.array_equal, transitions, copies))

    def test_first_last_and_discount(self, plant: Plant) -> None:
        first, ends = True, 0
        for transition in run(plant, actions(plant.spec, 0, self.steps)):
            assert transition.first == first
            assert not (transition.first and transition.last)
            assert math.isfinite(transition.reward)
            if transition.first:
                assert (transition.reward, transition.discount) == (0.0, 1.0)
            assert transition.discount in ((0.0, 1.0) if transition.last else (1.0,))
            first = transition.last
            ends += transition.last
        assert ends >= 1, "no episode ended: raise `steps`"

    def test_first_step_ignores_its_action(self) -> None:
        one, other = self.make_plant(3), self.make_plant(3)
        sequence = actions(one.spec, 0, 30)
        assert same(one.step(sequence[0]), other.step(one.spec.actions.noop))
        assert all(map(same, run(one, sequence), run(other, sequence)))
        one.close()
        other.close()

    def test_same_seed_same_future(self) -> None:
        one, other = self.make_plant(5), self.make_plant(5)
        sequence = actions(one.spec, 2, self.steps)
        assert all(map(same, run(one, sequence), run(other, sequence)))
        one.close()
        other.close()

    def test_reset_with_a_seed_starts_anew(self, plant: Plant) -> None:
        sequence = actions(plant.spec, 3, 60)
        run(plant, sequence[:17])
        plant.reset(7)
        before = run(plant, sequence)
        plant.reset(7)
        assert all(map(same, before, run(plant, sequence)))
        fresh = self.make_plant(7)
        assert all(map(same, before, run(fresh, sequence)))
        fresh.close()

    def test_reset_ends_the_episode(self, plant: Plant) -> None:
        run(plant, actions(plant.spec, 0, 5))
        plant.reset()
        assert [t.first for t in run(plant, actions(plant.spec, 0, 3))] == [True, False, False]

    @pytest.mark.parametrize("before", [0, 1, 40])
    def test_saved_state_is_exact(self, plant: Plant, before: int) -> None:
        sequence = actions(plant.spec, 4, self.steps)
        run(plant, sequence[:before])
        state = plant.save_state()
        assert isinstance(state, bytes)
        future = run(plant, sequence)
        other = self.make_plant(99)
        run(other, sequence[:9])
        for target in (plant, other):
            target.load_state(state)
            assert all(map(same, future, run(target, sequence)))
        other.close()

    def test_preparing_changes_nothing(self) -> None:
        plain, prepared = self.make_plant(5), self.make_plant(5)
        for index, action in enumerate(actions(plain.spec, 6, self.steps)):
            prepared.prepare()
            if index % 97 == 50:
                for plant in (plain, prepared):
                    plant.reset()
                prepared.prepare()
            if index % 89 == 60:
                prepared.load_state(prepared.save_state())
            assert same(plain.step(action), prepared.step(action))
        for plant in (plain, prepared):
            plant.close()

    def test_saved_state_between_episodes(self, plant: Plant) -> None:
        sequence = iter(actions(plant.spec, 5, self.steps))
        while not plant.step(next(sequence)).last:
            pass
        state, follow = plant.save_state(), actions(plant.spec, 6, 40)
        future = run(plant, follow)
        assert future[0].first
        plant.load_state(state)
        assert all(map(same, future, run(plant, follow)))

    def test_saving_changes_nothing(self) -> None:
        one, other = self.make_plant(8), self.make_plant(8)
        sequence = actions(one.spec, 7, 30)
        saved = []
        for action in sequence:
            one.save_state()
            saved.append(one.step(action))
        assert all(map(same, saved, run(other, sequence)))
        one.close()
        other.close()

    @pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped"])
    def test_foreign_bytes_are_refused(self, plant: Plant, damage: str) -> None:
        sequence = actions(plant.spec, 8, 20)
        run(plant, sequence[:10])
        state = plant.save_state()
        middle = len(state) // 2
        flipped = state[:middle] + bytes([state[middle] ^ 1]) + state[middle + 1:]
        wrong = {"empty": b"", "text": b"not a state", "cut": state[:-1], "flipped": flipped}
        future = run(plant, sequence[10:])
        plant.load_state(state)
        with pytest.raises(PlantError):
            plant.load_state(wrong[damage])
        assert all(map(same, future, run(plant, sequence[10:])))

    def test_invalid_actions_are_refused(self, plant: Plant) -> None:
        space = plant.spec.actions
        width = len(space.noop)
        outside = ((float(space.size),) if space.discrete
                   else tuple(high + 1 for high in space.high))
        for wrong in ((), (0.0,) * (width + 1), (math.nan,) * width, (math.inf,) * width, outside):
            with pytest.raises(PlantError, match="action"):
                plant.step(wrong)
        assert plant.step(space.noop).first

    def test_closing_twice_is_harmless(self) -> None:
        plant = self.make_plant(1)
        plant.close()
        plant.close()
