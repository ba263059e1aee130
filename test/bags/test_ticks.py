"""A bag read tick by tick."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bags.played import START_NS, play, record
from simulate.tiny_plant import Counter, Echo

from realtime_rl.bags.messages import SCALARS
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.storage import open_bag
from realtime_rl.bags.ticks import Tick, ticks_of
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.errors import BagError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.plants.counter import CounterPlant


def read(path: Path, spec: PlantSpec) -> list[Tick]:
    return list(ticks_of(read_run(path), spec))


@pytest.mark.parametrize("plant", [Echo(), CounterPlant(CounterPlant.Options(), 0)])
def test_every_tick_with_what_was_seen_after_it(plant: Echo | CounterPlant,
                                                tmp_path: Path) -> None:
    played = play(plant, 30)
    found = read(record(tmp_path / "bag", played, plant.spec.observation), plant.spec)
    assert [tick.step for tick in found] == [step for step, _ in played]
    for tick, (_, observation) in zip(found, played, strict=True):
        assert tick.observation is not None
        assert tick.observation.dtype == observation.dtype
        assert np.array_equal(tick.observation, observation)
        assert not tick.observation.flags.writeable


@pytest.mark.parametrize("back_ns", [7_000_000, 3600 * 10**9])
def test_observations_of_a_bag_that_a_wrong_clock_put_in_order(tmp_path: Path,
                                                               back_ns: int) -> None:
    """As `ros2 bag convert` writes it after the recorder's clock was set back."""
    plant = Echo()
    played = play(plant, 40)
    source = record(tmp_path / "bag", played, plant.spec.observation)
    topics = {"/timestep", "/observation"}
    shifted = [(message.receive_ns - back_ns * (index >= 40), message)
               for index, message in enumerate(open_bag(source).messages(topics))]
    with BagWriter(tmp_path / "again", [TopicInfo(topic, SCALARS) for topic in topics]) as writer:
        for at_ns, message in sorted(shifted, key=lambda entry: entry[0]):
            writer.write(message.topic, message.cdr, at_ns)
    found = read(tmp_path / "again", plant.spec)
    assert [tick.step for tick in found] == [step for step, _ in played]
    assert all(tick.observation is not None and np.array_equal(tick.observation, observation)
               for tick, (_, observation) in zip(found, played, strict=True))


def test_what_was_not_recorded_is_absent(tmp_path: Path) -> None:
    plant = Counter()
    path = record(tmp_path / "bag", play(plant, 12), plant.spec.observation,
                  lost={4, 5}, unseen={8})
    found = read(path, plant.spec)
    assert [tick.step.tick for tick in found] == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    seen = {tick.step.tick: tick.observation for tick in found}
    assert seen.pop(8) is None
    assert all(value is not None and value[0] == tick for tick, value in seen.items())


def test_a_plant_that_was_started_again_begins_anew(tmp_path: Path) -> None:
    first, second = play(Counter(), 5), play(Counter(), 3)
    later = [(replace(step, stamp_ns=step.stamp_ns + 10**9), seen) for step, seen in second]
    found = read(record(tmp_path / "bag", first + later, Counter().spec.observation),
                 Counter().spec)
    assert [tick.step.tick for tick in found] == [0, 1, 2, 3, 4, 0, 1, 2]
    assert all(tick.observation is not None for tick in found)
    assert found[5].step.stamp_ns > START_NS + 10**9 - 1


SPEC = Echo().spec


@pytest.mark.parametrize(("other", "message"), [
    (replace(SPEC, name="chess"), "tick 0: of plant 'echo', not 'chess'; give the plant"),
    (replace(SPEC, period_ns=5), "the period is 1000000 ns, that of 'echo' is 5 ns"),
    (replace(SPEC, actions=ActionSpace(("A",), (0.0,))), r"tick \d: action \(\d.0,\) is "),
    (replace(SPEC, observation=ObservationSpec((3,), "float32", 0, 1)),
     r"observations are vectors of shape \(2,\), the plant's are 'float32\[3\] 0:1'"),
    (replace(SPEC, observation=ObservationSpec((1, 2, 2), "uint8", 0, 255)),
     r"observations are vectors of shape \(2,\), the plant's are 'uint8"),
])
def test_a_bag_of_something_else_is_refused(other: PlantSpec, message: str,
                                            tmp_path: Path) -> None:
    path = record(tmp_path / "bag", play(Echo(), 9), SPEC.observation)
    with pytest.raises(BagError, match=message):
        read(path, other)


@pytest.mark.parametrize("written", ["pyboy:MY GAME", "pyboy:MY_GAME"])
def test_a_plant_with_a_blank_in_its_name_is_known(written: str, tmp_path: Path) -> None:
    """Also in bags that are older than the encoding of blanks."""
    played = [(replace(step, plant=written), seen) for step, seen in play(Echo(), 9)]
    path = record(tmp_path / "bag", played, SPEC.observation)
    assert len(read(path, replace(SPEC, name="pyboy:MY GAME"))) == 9


def test_a_bag_without_observations_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", play(Echo(), 9), SPEC.observation, unseen=range(9))
    with pytest.raises(BagError, match="holds no observations; record them"):
        read(path, SPEC)
