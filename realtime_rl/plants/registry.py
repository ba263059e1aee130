"""Plants by name: ours, and those that other packages add by an entry point.

An entry point of the group `realtime_rl.plants` names a class (or function) that is called with
an options dataclass and a seed, and has that dataclass as its attribute `Options`::

    entry_points={"realtime_rl.plants": ["cart = my_package.cart:CartPlant"]}
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import Any, Protocol, cast

from realtime_rl.core.errors import PlantError, choices
from realtime_rl.core.types import PlantSpec
from realtime_rl.plants.base import Plant
from realtime_rl.plants.options import build_options, describe_options, parse_options

__all__ = ["GROUP", "PlantFactory", "describe", "make", "names", "options", "parse_options",
           "spec"]

GROUP = "realtime_rl.plants"
_OURS = {
    "counter": "realtime_rl.plants.counter:CounterPlant",
    "gymnasium": "realtime_rl.plants.gymnasium_plant:GymnasiumPlant",
    "mujoco": "realtime_rl.plants.mujoco_plant:MujocoPlant",
    "pyboy": "realtime_rl.plants.pyboy_plant:PyBoyPlant",
}
"""Found even where the package runs from its source tree, with no metadata installed."""


class PlantFactory(Protocol):
    """What an entry point of the group leads to."""

    Options: type
    """A frozen dataclass whose fields are made with `core.settings.config.parameter`."""

    def __call__(self, options: Any, seed: int) -> Plant:  # noqa: ANN401 - its own Options
        """Make the plant, `PlantError` when it cannot start."""


def names() -> list[str]:
    """Return the names of all plants, sorted."""
    return sorted(_found())


def make(name: str, options: Mapping[str, object], seed: int) -> Plant:
    """Make the plant `name`. Options are scalars, or texts as `parse_options` returns them.

    `PlantError` for an unknown name or option and for a value that does not fit, with the valid
    choices; `MissingDependencyError` where the plant needs a library that is not installed.
    """
    factory = _factory(name)
    return factory(build_options(name, factory.Options, options), seed)


def spec(name: str, options: Sequence[str], seed: int = 0) -> PlantSpec:
    """Return the spec of a plant that could be started, with options as `key=value`; as `make`."""
    plant = make(name, parse_options(list(options)), seed)
    try:
        plant.prepare()  # what a start would end with is said before anything starts
        return plant.spec
    finally:
        plant.close()


def options(name: str) -> type:
    """Return the options dataclass of a plant."""
    return _factory(name).Options


def describe(name: str) -> str:
    """Describe a plant and its options, one line each."""
    factory = _factory(name)
    summary = (factory.__doc__ or "").strip().splitlines() or ["(no description)"]
    return f"{name}: {summary[0]}\n{describe_options(factory.Options)}"


def _factory(name: str) -> PlantFactory:
    found = _found()
    if name not in found:
        raise PlantError(f"unknown plant {name!r}; choose from {choices(found)}")
    try:
        factory = found[name].load()
    except (ImportError, AttributeError) as error:
        raise PlantError(f"plant {name!r} cannot be loaded from {found[name].value!r}: "
                         f"{error}") from error
    if not callable(factory) or not isinstance(getattr(factory, "Options", None), type):
        raise PlantError(f"plant {name!r}: {found[name].value!r} is not callable, or has no "
                         "dataclass Options")
    return cast(PlantFactory, factory)


def _found() -> dict[str, EntryPoint]:
    """Ours and the installed ones. The same target twice is one plant; two targets clash."""
    found = {name: EntryPoint(name, value, GROUP) for name, value in _OURS.items()}
    for point in importlib.metadata.entry_points(group=GROUP):
        known = found.setdefault(point.name, point)
        if known.value != point.value:
            raise PlantError(f"two plants are named {point.name!r}: {known.value!r} and "
                             f"{point.value!r}; uninstall one of the packages")
    return found
