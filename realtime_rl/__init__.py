"""Realtime reinforcement learning with staggered asynchronous inference, for ROS 2.

The names of `__all__` are what a user of the library needs; all else may change. Each is imported
when it is first asked for: `import realtime_rl` alone loads neither ROS nor torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime_rl.api import (
        Trained,
        load_policy,
        make_plant,
        plan_workers,
        read_bag,
        report_bag,
        simulate_policy,
        train_policy,
    )
    from realtime_rl.core.errors import PlantError, RealtimeRlError
    from realtime_rl.core.messages.records import Timestep
    from realtime_rl.core.observations import (
        Observation,
        ObservationParts,
        ObservationSpec,
        observed,
    )
    from realtime_rl.core.policy.options import PolicyOptions
    from realtime_rl.core.settings.config import parameter
    from realtime_rl.core.types import Action, ActionSpace, Cause, PlantSpec, Transition
    from realtime_rl.plants.base import Plant, check_action
    from realtime_rl.plants.state_bytes import pack as pack_state
    from realtime_rl.plants.state_bytes import unpack as unpack_state

__version__ = "0.1.0"

__all__ = [
    "Action", "ActionSpace", "Cause", "Observation", "ObservationParts", "ObservationSpec", "Plant",
    "PlantError", "PlantSpec", "PolicyOptions", "RealtimeRlError", "Timestep", "Trained",
    "Transition", "__version__", "check_action", "load_policy", "make_plant", "observed",
    "pack_state", "parameter", "plan_workers", "read_bag", "report_bag", "simulate_policy",
    "train_policy", "unpack_state",
]

_HOMES = {
    "api": ("Trained", "load_policy", "make_plant", "plan_workers", "read_bag", "report_bag",
            "simulate_policy", "train_policy"),
    "core.errors": ("PlantError", "RealtimeRlError"),
    "core.messages.records": ("Timestep",),
    "core.policy.options": ("PolicyOptions",),
    "core.settings.config": ("parameter",),
    "core.observations": ("Observation", "ObservationParts", "ObservationSpec", "observed"),
    "core.types": ("Action", "ActionSpace", "Cause", "PlantSpec", "Transition"),
    "plants.base": ("Plant", "check_action"),
    "plants.state_bytes": ("pack_state", "unpack_state"),
}
"""Which module has each name; a state's functions are called `pack` and `unpack` there."""


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for (PEP 562)."""
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            module = import_module(f"realtime_rl.{home}")
            found: object = getattr(module, name.removesuffix("_state"))
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return what can be asked for, too."""
    return sorted({*globals(), *__all__})
