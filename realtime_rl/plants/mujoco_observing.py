"""The observation of a contract, from what a model's sources say at a tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from realtime_rl.core.errors import ConfigError, PlantError
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import Observation
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.observing import Observer
from realtime_rl.plants.mujoco_messages import Say

_BEGIN_NS = 1_000_000_000
"""A stamp of 0 is none."""
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known at a tick."""

    observation: Observation
    positions: Mapping[str, float]
    """Of commanded elements, as measured."""
    now_ns: int


class Observing:
    """Every source speaks at every tick, of that tick."""

    def __init__(self, contract: Contract, says: Mapping[str, Say]) -> None:
        """Observe what `says` has for each source; `PlantError`."""
        self._contract, self._says = contract, says
        self._now_ns = _BEGIN_NS
        try:
            self._observer = Observer(contract)
        except ConfigError as error:
            raise PlantError(f"the robot's contract: {error}") from error

    def restart(self) -> None:
        """Begin anew."""
        self._observer.clear()
        self._now_ns = _BEGIN_NS

    def observe(self) -> Seen:
        """Say what is seen at the next tick."""
        self._now_ns += self._contract.period_ns
        seconds, rest = divmod(self._now_ns, _SECOND_NS)
        header = SimpleNamespace(stamp=SimpleNamespace(sec=seconds, nanosec=rest))
        for name, say in self._says.items():
            message = say()
            message.header = header
            try:
                self._observer.offer(name, message, self._now_ns, self._now_ns)
            except WireError as error:
                raise PlantError(f"plant 'mujoco': source.{name}: {error}") from error
        observed = self._observer.observe(self._now_ns)
        observation = observed.observation
        if observation is None:
            raise PlantError("plant 'mujoco': nothing is observed, as "
                             f"{self._observer.missing() or 'a source is stale'}")
        return Seen(observation, observed.positions, self._now_ns)
