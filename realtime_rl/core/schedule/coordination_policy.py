"""What a coordinator is asked to do, and how soon it follows what it measures."""

from __future__ import annotations

from dataclasses import dataclass

from realtime_rl.core.enumerations import Algorithm, Dealing, SlotSource
from realtime_rl.core.schedule.planner import Setting
from realtime_rl.core.schedule.settling import Settling

_RAISE_AFTER = 2
"""Looks that must agree before `D` or `N*` is raised."""
_LOWER_AFTER_NS = 30_000_000_000
"""For how long they must agree before it is lowered: late actions cost more than waiting ones, and
a `D` that goes down and up again leaves ticks without an action."""
_BACK_AFTER_NS, _EXCURSION_NS = 2_000_000_000, 10_000_000_000
"""The same after a burst of outliers that raised it by far, and how long one is at most."""
_RESEND_AFTER_NS = 500_000_000
"""Until a schedule is sent again: sending it anew spoils an answer that is on its way."""


@dataclass(frozen=True, slots=True)
class Sizing:
    """How many workers are to be active."""

    auto: bool = False
    """As many as the durations require; else all."""
    minimum: int = 1
    maximum: int = 4096
    headroom: int = 1
    """More than required."""
    target: float = 0.005
    """Share of the ticks that may lack a worker."""


@dataclass(frozen=True, slots=True)
class CoordinationPolicy:
    """What the coordinator is asked to do."""

    workers: tuple[int, ...]
    period_ns: int
    handover_ns: int
    """Allowance `h` for messages and wake-ups: so much at least."""
    window: int = 1024
    warmup: int = 2
    lead_ns: int = 50_000_000
    """A new generation begins so long ahead, so that every process knows it by then."""
    look_ns: int = 100_000_000
    """Between two evaluations."""
    most_delay_ticks: int = 1 << 20
    """`D` is no larger, whatever the durations: the actuator takes no older actions."""
    algorithm: Algorithm = Algorithm.MAX_TIME
    dealing: Dealing = Dealing.POOLED
    slot_source: SlotSource = SlotSource.TICK
    quantile: float = 0.95
    sizing: Sizing = Sizing()
    most_handover_ns: int = 0
    """Actions that hold a promise are allowed more than `handover_ns` where they are measured to
    need it, up to this."""
    chunk_interval: int = 0
    """Of a policy that gives chunks: ticks between two of them at least; 0: as few as can be."""
    processes: tuple[str, ...] = ()
    """Names of the inference processes: worker `w` lives in number `w % len(processes)`."""

    @property
    def lead_ticks(self) -> int:
        """Ticks ahead: the newest one may be nearly over."""
        return -(-self.lead_ns // self.period_ns) + 1

    @property
    def resend_after(self) -> int:
        """Looks after which a process is sent its schedule again."""
        return max(1, _RESEND_AFTER_NS // self.look_ns)

    def settling(self, unit_ns: int) -> Settling:
        """How soon a number follows the durations; it counts `unit_ns`."""
        def looks(time_ns: int) -> int:
            return max(_RAISE_AFTER, -(-time_ns // self.look_ns))

        return Settling(_RAISE_AFTER, looks(_LOWER_AFTER_NS), looks(_BACK_AFTER_NS),
                        looks(_EXCURSION_NS), unit_ns)

    @property
    def setting(self) -> Setting:
        """What the planner needs to know. A timer belongs to one worker, as in fixed dealing."""
        dealing = Dealing.FIXED if self.slot_source is SlotSource.TIMER else self.dealing
        return Setting(self.period_ns, self.handover_ns, self.algorithm, dealing, self.quantile,
                       self.window, max(1, len(self.processes)))
