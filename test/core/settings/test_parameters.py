"""Every node's parameters: sound defaults, and combinations that cannot run."""

from __future__ import annotations

import re

import pytest

from realtime_rl.core.enumerations import Algorithm, Dealing, SlotSource
from realtime_rl.core.errors import ConfigError
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.settings import parameters as p
from realtime_rl.core.settings.config import build, parameters
from realtime_rl.core.settings.coordinator import CoordinatorParameters, policy_of
from realtime_rl.core.settings.inference import (
    InferenceParameters,
    schedule_of,
    schedule_parameters,
)
from realtime_rl.core.types import ActionSpace

ALL = (p.Scenario, p.PlantParameters, InferenceParameters, CoordinatorParameters,
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


def test_a_schedule_said_in_parameters_is_the_same_schedule() -> None:
    schedule = Schedule((2, 0), 16_000_000, 7, 90, 5, 1_500_000, Algorithm.QUANTILE_TIME,
                        Dealing.FIXED, SlotSource.TIMER, 3)
    said = build(InferenceParameters, {"workers": 3, "period_ns": 16_000_000,
                                       **schedule_parameters(schedule)})
    assert schedule_of(said) == schedule
    assert set(schedule_parameters(schedule)) == {
        name for name in parameters(InferenceParameters) if name.startswith("schedule_")}


def test_default_specs_can_be_read() -> None:
    spec = p.SpecParameters()
    assert ObservationSpec.parse(spec.observation).is_image
    assert ActionSpace.parse(spec.actions).discrete


def test_what_is_live_is_the_schedule_and_what_the_coordinator_is_asked_for() -> None:
    live = {(config, item.name) for config in ALL
            for item in parameters(config).values() if item.live}
    assert live == {
        *((InferenceParameters, item) for item in parameters(InferenceParameters)
          if item.startswith("schedule_")),
        *((CoordinatorParameters, item) for item in (
            "algorithm", "dealing", "slot_source", "quantile", "sizing", "min_workers",
            "max_workers", "headroom", "target_inaction", "chunk_interval"))}


def test_more_processes_than_workers_are_refused() -> None:
    assert p.Scenario(workers=2, processes=2).processes == 2
    with pytest.raises(ConfigError, match="processes: 3 exceeds workers 2"):
        p.Scenario(workers=2, processes=3)


def test_a_process_is_one_of_the_processes() -> None:
    assert InferenceParameters(workers=2, processes=2, process=1).process == 1
    with pytest.raises(ConfigError, match="process: 2 must be below processes 2"):
        InferenceParameters(workers=2, processes=2, process=2)


def test_a_prefix_needs_a_promised_delay() -> None:
    assert policy_of(CoordinatorParameters(chunk_merge="prefix")).chunk_prefix
    assert not policy_of(CoordinatorParameters(chunk_merge="blend")).chunk_prefix
    with pytest.raises(ConfigError, match=r"'exp_time' promises no delay.*'max_time'"):
        CoordinatorParameters(chunk_merge="prefix", algorithm="exp_time")


@pytest.mark.parametrize("active", [(2,), (-1,), (0, 0), (0, 1, 2)])
def test_active_workers_exist_and_are_distinct(active: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match=r"schedule_active: .* distinct ids from 0 to 1"):
        InferenceParameters(workers=2, schedule_active=active)


@pytest.mark.parametrize("active", [(), (1,), (1, 0)])
def test_active_workers_are_in_any_order(active: tuple[int, ...]) -> None:
    assert InferenceParameters(workers=2, schedule_active=active).schedule_active == active


@pytest.mark.parametrize("frame", ["/base_link", "base link", "x" * 1000])
def test_a_frame_that_is_none_is_refused(frame: str) -> None:
    assert build(p.ActuatorParameters, {"command_frame": "base_link"}).command_frame == "base_link"
    with pytest.raises(ConfigError, match=r"command_frame: .* is no frame"):
        build(p.ActuatorParameters, {"command_frame": frame})
