"""The whole contract of a plant, in one place."""

from __future__ import annotations

from typing import Protocol

from realtime_rl.core.errors import PlantError
from realtime_rl.core.types import Action, PlantSpec, Transition


def check_action(action: Action, spec: PlantSpec) -> None:
    """`PlantError` for an action that the plant does not know."""
    problem = spec.actions.problem(action)
    if problem is not None:
        raise PlantError(f"action {action!r} is {problem}: the space is {spec.actions}")


def remarks_of(plant: Plant) -> list[str]:
    """Return a plant's remarks; of one that was written before there were any, none."""
    found: list[str] = getattr(plant, "remarks", list)()
    return found


class Plant(Protocol):
    """A controlled system that advances one tick a `step`. Deterministic given seed and actions.

    The first `step` after construction, after `reset` and after a transition with `last` starts
    an episode: it ignores its action and returns a transition with `first` set and reward 0.
    A step must take less than the period; nothing in a plant sleeps or reads a clock. A class that
    inherits from this one has a `prepare`, a `remarks` and a `close` that do nothing.
    """

    @property
    def spec(self) -> PlantSpec:
        """Name, period, observation and action space; constant for the plant's life."""

    def step(self, action: Action) -> Transition:
        """Advance one tick under `action` (in `spec.actions`, else `PlantError`)."""

    def prepare(self) -> None:
        """Do ahead what the next step would take long for; changes nothing that can be seen.

        Called in the time that is left of a tick. An episode's start is the usual reason.
        """
        return

    def reset(self, seed: int | None = None) -> None:
        """End the episode; the next step starts a new one.

        With a seed, all randomness from then on follows from it; without, the random stream
        that is under way goes on, so that episodes differ.
        """

    def save_state(self) -> bytes:
        """Return everything that the future depends on, as bytes that `load_state` takes.

        `PlantError` when that cannot be had.
        """

    def load_state(self, state: bytes) -> None:
        """Go back to a saved state exactly; `PlantError` when the bytes are not one."""

    def remarks(self) -> list[str]:
        """Return what is odd about what was seen so far, a line each; grows, and is soon told."""
        return []

    def close(self) -> None:
        """Release what the plant holds. Calling it twice is harmless."""
        return
