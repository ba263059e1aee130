from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from realtime_rl.core.errors import PlantError
from realtime_rl.core.settings.config import parameter
from realtime_rl.plants import registry
from realtime_rl.plants.counter import CounterOptions, CounterPlant


@dataclass(frozen=True)
class ThingOptions:
    length: float = parameter(1.0, "how long", unit="m", low=0)
    loud: bool = parameter(False, "whether it is loud")
    settings: str = parameter("", "more")


class Thing:
    """A thing."""

    Options = ThingOptions

    def __init__(self, options: ThingOptions, seed: int) -> None:
        self.options, self.seed = options, seed


def install(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    found = EntryPoints(EntryPoint(name, value, registry.GROUP) for name, value in points)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: found.select(group=group))


@pytest.fixture
def _thing_module(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    module: Any = ModuleType("thing_module")
    module.Thing, module.nothing = Thing, 3
    monkeypatch.setitem(sys.modules, "thing_module", module)


def test_ours_are_found_without_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: EntryPoints())
    assert registry.names() == ["counter", "gymnasium", "mujoco", "pyboy"]
    plant = registry.make("counter", {}, 0)
    assert isinstance(plant, CounterPlant)


@pytest.mark.usefixtures("_thing_module")
def test_other_packages_add_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("thing", "thing_module:Thing"),
            ("counter", "realtime_rl.plants.counter:CounterPlant"))
    assert registry.names() == ["counter", "gymnasium", "mujoco", "pyboy", "thing"]
    thing: Any = registry.make("thing", {"length": "2.5", "loud": "true"}, 7)
    assert thing.options == ThingOptions(2.5, True) and thing.seed == 7


@pytest.mark.usefixtures("_thing_module")
def test_clashing_names(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("counter", "thing_module:Thing"))
    with pytest.raises(PlantError, match=r"two plants are named 'counter'.*thing_module:Thing"):
        registry.names()


@pytest.mark.usefixtures("_thing_module")
@pytest.mark.parametrize(("value", "message"), [
    ("absent_module:Thing", "cannot be loaded from 'absent_module:Thing'"),
    ("thing_module:Other", "cannot be loaded"),
    ("thing_module:nothing", "not callable"),
])
def test_broken_entry_points(monkeypatch: pytest.MonkeyPatch, value: str, message: str) -> None:
    install(monkeypatch, ("broken", value))
    with pytest.raises(PlantError, match=message):
        registry.make("broken", {}, 0)


def test_unknown_name() -> None:
    with pytest.raises(PlantError, match="unknown plant 'tetris'; choose from 'counter', "
                                         "'gymnasium', 'mujoco', 'pyboy'"):
        registry.make("tetris", {}, 0)


@pytest.mark.parametrize(("options", "message"), [
    ({"speed": 1}, "no option 'speed'; choose from 'actions', 'episode_ticks'"),
    ({"actions": "many"}, "actions: 'many' is not an integer"),
    ({"actions": 1}, "actions: 1 is outside 2 … 64"),
    ({"actions": 2.5}, "actions: 2.5 is not an integer"),
    ({"actions": True}, "actions: True is not an integer"),
    ({"observation": "sound"}, "observation: 'sound' is not one of 'image', 'vector'"),
    ({"terminal": "perhaps"}, "terminal: 'perhaps' is not a bool"),
    ({"period_ms": "nan"}, "period_ms: nan is not finite"),
])
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(PlantError, match="counter") as error:
        registry.make("counter", options, 0)
    assert message in str(error.value)


def test_options_by_type() -> None:
    plant = registry.make("counter", {"actions": "5", "period_ms": 40, "terminal": False}, 0)
    assert plant.spec.actions.size == 5
    assert plant.spec.period_ns == 40_000_000
    assert registry.options("counter") is CounterOptions


def test_describe() -> None:
    lines = registry.describe("counter").splitlines()
    assert lines[0].startswith("counter: Counts ticks")
    assert "  period_ms=20.0 ms (≥ 0.001): the plant's period" in lines


def test_parse_options() -> None:
    words = ["rom=catch", "", "settings=a=1 b=2", " seed = 3 "]
    assert registry.parse_options(words) == {"rom": "catch", "settings": "a=1 b=2", "seed": "3"}
    assert registry.parse_options([""]) == {}


@pytest.mark.parametrize("words", [["rom"], ["=catch"], ["rom=a", "rom=b"]])
def test_parse_options_refuses(words: list[str]) -> None:
    with pytest.raises(PlantError, match="plant option"):
        registry.parse_options(words)


@pytest.mark.usefixtures("_thing_module")
def test_settings_take_what_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ("thing", "thing_module:Thing"))
    thing: Any = registry.make("thing", {"settings": "a=1", "b": 2, "c": "3"}, 0)
    assert thing.options.settings == "a=1 b=2 c=3"
