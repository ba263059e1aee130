"""The replay that several learning processes read."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from learning.tiny_transitions import TINY, VECTOR

from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.n_step import NStep
from realtime_rl.learning.shared_arrays import SharedArrays
from realtime_rl.learning.shared_replay import SharedReplay, layout


def pair(config: DqnConfig) -> tuple[SharedReplay, SharedReplay]:
    """A writer, and a reader that was given the memory as another process is."""
    arrays = layout(config, VECTOR)
    shared = SharedArrays(arrays)
    return (SharedReplay(config, shared, 0),
            SharedReplay(config, SharedArrays(arrays, os.dup(shared.fd)), 1))


def story(ticks: int, stack: int, stride: int, history: int = 0) -> list[SemiMdpTransition]:
    """Transitions whose observations, actions and rewards all say which tick they are of."""
    frames = [np.full(3, tick, np.float32) for tick in range(ticks + stack + stride)]
    return [SemiMdpTransition(
                tuple(frames[tick:tick + stack]), (float(tick % 3),), float(tick), 0.5,
                tuple(frames[tick + stride:tick + stride + stack]), stride, False,
                (None,) * history, ((1.0,),) * history)
            for tick in range(0, ticks, stride)]


@given(st.integers(1, 12), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4),
       st.integers(1, 60))
def test_what_is_read_is_what_was_written_and_never_what_was_forgotten(
    size: int, stack: int, n: int, stride: int, ticks: int
) -> None:
    config = replace(TINY, replay_size=size, stack=stack, n_step=n)
    writer, reader = pair(config)
    n_step, joined = NStep(n), []
    for each in story(ticks, stack, stride):
        writer.keep(each)
        for found in n_step.add(each):
            writer.add(found)
            joined.append(found)
        if not joined:
            continue
        assert 1 <= len(reader) <= size
        batch = reader.sample(4)
        for row, reward in enumerate(batch.reward.tolist()):
            original = next(other for other in joined if other.reward == reward)
            assert any(original is each for each in joined[-len(reader):])
            assert batch.observation[row].tolist() == np.concatenate(
                original.observation).tolist()
            assert batch.next_observation[row].tolist() == np.concatenate(
                original.next_observation).tolist()
            assert batch.action[row] == original.action[0]
            assert batch.discount[row] == original.discount
    assert reader.seen == len(joined)


def test_with_one_new_frame_a_transition_all_are_kept_and_each_frame_once() -> None:
    config = replace(TINY, replay_size=50, stack=3, n_step=4)
    writer, reader = pair(config)
    n_step = NStep(4)
    for each in story(300, 3, 1):
        writer.keep(each)
        for found in n_step.add(each):
            writer.add(found)
    assert len(reader) == 50
    places = {int(place) for name in ("observation", "next_observation")
              for place in reader._shared[name].ravel()}
    # 53 ticks of observations, and the last 4 of what follows them
    assert len(places) == 56


def test_all_kept_transitions_are_drawn() -> None:
    writer, reader = pair(replace(TINY, replay_size=10))
    for each in story(25, 1, 1):
        writer.keep(each)
        writer.add(each)
    assert set(reader.sample(500).reward.tolist()) == set(map(float, range(15, 25)))


def test_a_batch_that_was_forgotten_while_it_was_copied_is_drawn_anew(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = pair(replace(TINY, replay_size=4))
    steps = story(8, 1, 1)
    for each in steps[:4]:
        writer.keep(each)
        writer.add(each)
    copy = reader._copy

    def slow_copy(slots: np.ndarray) -> object:
        monkeypatch.undo()
        batch = copy(slots)
        for each in steps[4:]:  # the writer laps the reader
            writer.keep(each)
            writer.add(each)
        return batch

    monkeypatch.setattr(reader, "_copy", slow_copy)
    assert reader.sample(64).reward.min() >= 4.0


def test_histories_are_kept_with_what_is_not_known() -> None:
    writer, reader = pair(replace(TINY, action_history=2))
    each = story(1, 1, 1, history=2)[0]
    each = replace(each, history=(None, (2.0,)))
    writer.keep(each)
    writer.add(each)
    batch = reader.sample(1)
    assert batch.history == [(None, (2.0,))]
    assert batch.next_history == [((1.0,), (1.0,))]
    with pytest.raises(LearningError, match=r"action_history 2 needs as many .* not 1"):
        writer.add(replace(each, history=(None,)))


def test_an_empty_one_says_so() -> None:
    with pytest.raises(LearningError, match="the replay is empty"):
        pair(TINY)[1].sample(1)
