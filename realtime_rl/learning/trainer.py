"""The learner's own thread: trains on what comes in, exports now and then, starves nobody."""

from __future__ import annotations

import math
import threading
import traceback
from collections import deque
from collections.abc import Callable
from pathlib import Path

from realtime_rl.core.errors import PolicyError, RealtimeRlError
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.learning import checkpoint
from realtime_rl.learning.errors import NonFiniteLossError
from realtime_rl.learning.learns import Learns, Progress
from realtime_rl.learning.onnx_export import PolicyExporter

_QUEUE = 4096
"""Transitions that may wait: more than a minute at 60 Hz, as an update of a large network takes."""


class Trainer:
    """Trains in a thread of its own; transitions come in from another.

    Of those, a bounded number waits: when more come the oldest is dropped, as a replay would.
    """

    def __init__(
        self, learner: Learns, exporter: PolicyExporter, *, folder: Path,
        now: Callable[[], int], export_interval_ns: int, updates_per_transition: float,
        first_version: int, on_export: Callable[[PolicyUri, int], None],
        on_failure: Callable[[str], None],
        on_trouble: Callable[[str], None] = lambda reason: None, max_lag: int = 0,
        prepare_thread: Callable[[], None] = lambda: None, queue: int = _QUEUE,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            learner: what is trained; touched by the trainer's thread alone from `start` on.
            exporter: writes the policies.
            folder: where a batch is kept whose loss was not finite.
            now: the caller's clock [ns].
            export_interval_ns: between exports.
            updates_per_transition: gradient updates never get further ahead than this.
            first_version: version of the first export.
            on_export: called from the trainer's thread with each policy and its version.
            on_failure: called from there, once, when the training had to end, whatever the reason;
                nothing is trained after that.
            on_trouble: called from there when a policy could not be written, training waits, or
                transitions were dropped.
            max_lag: how many versions what acts may be behind the newest; 0: any number.
            prepare_thread: called first in the trainer's thread, as to set its priority.
            queue: how many transitions may wait.
        """
        self._learner = learner
        self._exporter = exporter
        self._folder = folder
        self._now = now
        self._interval_ns = export_interval_ns
        self._ratio = updates_per_transition
        self._newest = (first_version - 1, 0)
        self._on_export = on_export
        self._on_failure = on_failure
        self._on_trouble = on_trouble
        self._max_lag = max_lag
        # of a version before the first, this trainer is not ahead
        self._oldest = self._acted = first_version - 1
        self._waiting = False
        self._prepare_thread = prepare_thread
        self._incoming: deque[SemiMdpTransition] = deque(maxlen=queue)
        # each is written by one thread only
        self._added = self._taken = self._dropped_reported = 0
        self._wake = threading.Event()
        self._closed = self._ended = False
        self._losses: deque[float] = deque(maxlen=1000)
        self._next_export_ns = 0
        self._thread = threading.Thread(target=self._run, name="trainer", daemon=True)

    def start(self) -> None:
        """Begin to train."""
        self._next_export_ns = self._now() + self._interval_ns
        self._thread.start()

    def add(self, transition: SemiMdpTransition) -> None:
        """Hand a transition over; returns at once. Once the training ended nothing is kept."""
        if self._ended:
            return
        self._incoming.append(transition)
        self._added += 1  # only now, so that none counts as dropped on its way
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Transitions that wait to be taken."""
        return len(self._incoming)

    @property
    def dropped(self) -> int:
        """See `Progress`."""
        return max(0, self._added - self._taken - len(self._incoming))

    def acted(self, version: int | None) -> None:
        """Tell which version acted last; `None`: no policy acts, so that none lags behind."""
        before, self._acted = self._acted, max(
            self._oldest, self._newest[0] if version is None else version)
        if self._acted != before:
            self._wake.set()

    def progress(self) -> Progress:
        """Say where the training stands."""
        losses = [self._losses.popleft() for _ in range(len(self._losses))]
        loss = sum(losses) / len(losses) if losses else math.nan
        return Progress(self._learner.updates, self._learner.transitions, loss,
                        self._learner.epsilon, *self._newest, self.dropped)

    def close(self) -> None:
        """End after the update under way. Calling it twice is harmless."""
        self._closed = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            self._prepare_thread()
            while not self._closed:
                self._step()
        except RealtimeRlError as error:
            self._end(self._inspected(error))
        except Exception as error:  # whatever it was, training is over and somebody has to know
            self._end(_described(error))
        finally:
            self._ended = True
            self._incoming.clear()
            self._learner.close()

    def _end(self, reason: str) -> None:
        self._ended = True
        self._on_failure(reason)

    def _inspected(self, error: RealtimeRlError) -> str:
        """Keep the batch of a loss that is not finite; say in one line what happened."""
        if not isinstance(error, NonFiniteLossError):
            return str(error)
        try:
            return checkpoint.inspected(error, self._folder)
        except RealtimeRlError as unwritten:
            return f"{error}; {unwritten}"

    def _step(self) -> None:
        self._take()
        learner = self._learner
        if self._due() and self._too_far_ahead():
            self._wake.wait(1.0)
            self._wake.clear()
            return
        loss = learner.advance(math.ceil(self._ratio * learner.transitions))
        if loss is not None:
            self._losses.append(loss)
        else:
            # nothing to learn from until the next transition, or the next export
            self._wake.wait(max(0.0, min(1.0, (self._next_export_ns - self._now()) / 1e9)))
            self._wake.clear()
        if self._due() and not self._too_far_ahead():
            self._export()

    def _take(self) -> None:
        while self._incoming:
            self._taken += 1
            self._learner.add(self._incoming.popleft())
        if self.dropped > self._dropped_reported:
            self._dropped_reported = self.dropped
            self._on_trouble(f"{self._dropped_reported} transitions dropped so far: more than "
                             f"{self._incoming.maxlen} came during one update; take a smaller "
                             "network or batch")

    def _due(self) -> bool:
        return self._now() >= self._next_export_ns

    def _too_far_ahead(self) -> bool:
        """Whether another version would leave what acts too far behind; said when it begins."""
        newest = self._newest[0]
        lag = newest + 1 - self._acted
        before, self._waiting = self._waiting, 0 < self._max_lag < lag
        if self._waiting and not before:
            self._on_trouble(f"training waits: version {self._acted} acts, {newest} is "
                             f"announced (max_lag {self._max_lag})")
        return self._waiting

    def _export(self) -> None:
        now_ns = self._now()
        self._next_export_ns += self._interval_ns
        if self._next_export_ns < now_ns:  # training waited
            self._next_export_ns = now_ns + self._interval_ns
        version = self._newest[0] + 1
        try:
            uri = self._exporter.export(self._learner.metadata(version))
        except PolicyError as error:
            self._on_trouble(f"version {version} is not announced, the one before stays, training "
                             f"goes on: {error}")
            return
        self._newest = (version, self._now())
        self._on_export(uri, version)


def _described(error: Exception) -> str:
    """Say in one line what an error of this program is, and where it came up."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno})"
