"""The inference processes and the schedule: who is there, who follows it, who is sent it anew."""

from __future__ import annotations

from dataclasses import replace

from realtime_rl.core.messages.records import Inference
from realtime_rl.core.schedule.stagger import Schedule


class Followers:
    """The processes of a graph: worker `w` lives in number `w % len(names)`."""

    def __init__(self, names: tuple[str, ...], workers: tuple[int, ...], resend_after: int) -> None:
        """Begin with all of them there; resend to a silent one every `resend_after` looks."""
        self._names = names
        self._workers = workers
        self._resend_after = resend_after
        self._dead: set[str] = set()
        self._returning: set[str] = set()
        """Those of the dead that are there again, but were not heard yet."""
        self._silent_for: dict[str, int] = {}
        """Looks since which a process should have followed or been heard."""
        self._out_of_sync: set[str] = set()
        """Processes that follow what this coordinator did not announce."""
        self._last_slots: dict[str, tuple[int, int]] = {}
        """Newest slot of each process: its tick and generation."""
        self._session_began_ns = 0

    def of_worker(self, worker: int) -> str:
        """Name of the process that hosts a worker; empty for none, and where nobody said."""
        known = 0 <= worker < len(self._workers)
        return self._names[worker % len(self._names)] if self._names and known else ""

    def living(self) -> tuple[int, ...]:
        """Workers of the processes that are there, in order."""
        if not self._dead:
            return self._workers
        return tuple(worker for worker in self._workers
                     if self.of_worker(worker) not in self._dead)

    @property
    def newest_generation(self) -> int:
        """The newest generation that any process followed; 0: none is known."""
        return max((generation for _, generation in self._last_slots.values()), default=0)

    def on_inference(self, inference: Inference) -> bool:
        """Take in a slot's record; return whether its process was started again."""
        tick, generation = self._last_slots.get(inference.node, (-1, 0))
        # a held action's record comes after those of later slots that were missed
        if inference.tick < tick or inference.stamp_ns < self._session_began_ns:
            return False
        self._last_slots[inference.node] = (inference.tick, inference.generation)
        return inference.generation < generation

    def on_process(self, name: str, alive: bool) -> None:
        """A process was found dead or hung (its workers' slots go to the rest), or is back.

        It is counted on again once an action of its arrives (`arrived`).
        """
        if not alive:
            self._dead.add(name)
            self._returning.discard(name)
        elif name in self._dead:
            self._returning.add(name)

    def arrived(self, worker: int) -> str:
        """An action of a worker arrived; return its process where that is counted on again."""
        name = self.of_worker(worker)
        if name not in self._returning:
            return ""
        self._returning.discard(name)
        self._dead.discard(name)
        return name

    def restarted(self, stamp_ns: int) -> None:
        """The plant counts its ticks anew, from a tick of that stamp."""
        self._session_began_ns = stamp_ns
        self._last_slots = {node: (-1, generation)
                            for node, (_, generation) in self._last_slots.items()}

    def mark_out_of_sync(self, name: str) -> None:
        """Somebody else set the schedule of a process."""
        self._out_of_sync.add(name)

    def out_of_sync(self) -> list[str]:
        """Processes, each once, that somebody else set the schedule of."""
        names, self._out_of_sync = self._out_of_sync, set()
        return sorted(names)

    def behind(self, schedule: Schedule) -> list[str]:
        """Processes that dealt a slot by an older generation: started again, or not reached."""
        return [node for node, (tick, generation) in self._last_slots.items()
                if tick >= schedule.effective_tick and generation < schedule.generation]

    def to_resend(self, schedule: Schedule) -> list[str]:
        """Processes to send the schedule again at this look: behind it, or back and silent."""
        silent = {*self.behind(schedule), *self._returning}
        self._silent_for = {name: self._silent_for.get(name, 0) + 1 for name in silent}
        return sorted(name for name, looks in self._silent_for.items()
                      if looks % self._resend_after == 0)

    def schedule_for(self, name: str, schedule: Schedule) -> Schedule:
        """What a process is to follow: the schedule, or one on trial.

        Middleware may find the actuator seconds after it found the coordinator. A process that is
        back therefore takes slots that the others have, too, with one worker: of two actions for
        the same tick the first acts, and its fate tells that this process is heard.
        """
        own = [worker for worker in self._workers if self.of_worker(worker) == name]
        if name not in self._returning or set(own) & set(schedule.active):
            return schedule
        return replace(schedule, active=(own[0],), cycle=schedule.cycle_ticks)
