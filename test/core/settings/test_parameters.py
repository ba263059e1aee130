"""Every node's parameters: sound defaults, and combinations that cannot run."""

from __future__ import annotations

import re

import pytest

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.messages.records import Algorithm, Dealing, SlotSource
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import build, parameters
from realtime_rl.core.types import ActionSpace, ObservationSpec

ALL = (p.Scenario, p.PlantParameters, p.InferenceParameters, p.CoordinatorParameters,
       p.ActuatorParameters, p.MonitorParameters, p.RecorderParameters, p.LearnerParameters)


@pytest.mark.parametrize("config", ALL)
def test_every_default_is_allowed(config: type) -> None:
    for item in parameters(config).values():
        assert item.problem(item.default) is None
        assert item.default in item.choices or not item.choices
    assert build(config, {}) == config()


@pytest.mark.parametrize("config", ALL)
def test_every_parameter_is_described_in_one_line(config: type) -> None:
    for item in parameters(config).values():
        assert item.description
        assert re.search(r"[\n|]", item.description) is None
        assert "use_sim_time" != item.name


def test_choices_are_those_of_the_records() -> None:
    assert {name.upper() for name in p.ALGORITHMS} == set(Algorithm.__members__)
    assert {name.upper() for name in p.DEALINGS} == set(Dealing.__members__)
    assert {name.upper() for name in p.SLOT_SOURCES} == set(SlotSource.__members__)


def test_default_specs_can_be_read() -> None:
    spec = p.SpecParameters()
    assert ObservationSpec.parse(spec.observation).is_image
    assert ActionSpace.parse(spec.actions).discrete


def test_what_is_live_is_the_schedule_and_what_the_coordinator_is_asked_for() -> None:
    live = {(config, item.name) for config in ALL
            for item in parameters(config).values() if item.live}
    assert live == {
        *((p.InferenceParameters, item) for item in parameters(p.InferenceParameters)
          if item.startswith("schedule_")),
        *((p.CoordinatorParameters, item) for item in (
            "algorithm", "dealing", "slot_source", "quantile", "sizing", "min_workers",
            "max_workers", "headroom", "target_inaction"))}


def test_more_processes_than_workers_are_refused() -> None:
    assert p.Scenario(workers=2, processes=2).processes == 2
    with pytest.raises(ConfigError, match="processes: 3 exceeds workers 2"):
        p.Scenario(workers=2, processes=3)


def test_a_process_is_one_of_the_processes() -> None:
    assert p.InferenceParameters(workers=2, processes=2, process=1).process == 1
    with pytest.raises(ConfigError, match="process: 2 must be below processes 2"):
        p.InferenceParameters(workers=2, processes=2, process=2)


@pytest.mark.parametrize("active", [(2,), (-1,), (0, 0), (0, 1, 2)])
def test_active_workers_exist_and_are_distinct(active: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"schedule_active: .* distinct ids from 0 to 1"):
        p.InferenceParameters(workers=2, schedule_active=active)


@pytest.mark.parametrize("active", [(), (1,), (1, 0)])
def test_active_workers_are_in_any_order(active: tuple[int, ...]) -> None:
    assert p.InferenceParameters(workers=2, schedule_active=active).schedule_active == active


@pytest.mark.parametrize("frame", ["/base_link", "base link", "x" * 1000])
def test_a_frame_that_is_none_is_refused(frame: str) -> None:
    assert build(p.ActuatorParameters, {"command_frame": "base_link"}).command_frame == "base_link"
    with pytest.raises(ConfigError, match=r"command_frame: .* is no frame"):
        build(p.ActuatorParameters, {"command_frame": frame})
