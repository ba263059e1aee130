"""Starts node processes, starts them again when they die, and ends them in order."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.peers.deaths import BAD_CONFIGURATION, RESPAWN_DELAY_S, Deaths, Then
from realtime_rl.ros import environment, memory_limit
from realtime_rl.ros.graph import PACKAGE, PARENT_VARIABLE
from realtime_rl.ros.processes import ProcessSpec
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.runner.output_lines import OutputLines, lines_of

_GRACE_S = 5.0
_LAST_WORDS_S = 1.0
"""What a dead node said is waited for so long: its descendants may hold the pipe open."""
_ENDED = (0, -signal.SIGTERM)
"""Statuses of a node that ends when it is asked to; the second while it is still importing."""


class NodeFailedError(RealtimeRlError):
    """A node cannot run: it says so itself, or it acts and dies again and again."""


@dataclass(slots=True)
class _Running:
    spec: ProcessSpec
    process: subprocess.Popen[str]
    reader: threading.Thread | None = None
    last_line: str = ""
    dead: bool = False
    again_at: float | None = None


class Supervisor:
    """The processes of one graph. Call `watch` a few times a second, and `stop` in the end."""

    def __init__(self, processes: list[ProcessSpec], folder: Path) -> None:
        """Prepare to run `processes`; parameter files are written into `folder`."""
        self._folder = folder
        self._specs = processes
        self._clock = RunClock()
        self._running: list[_Running] = []
        self._began = time.monotonic()
        self.lines = OutputLines()
        """`(node, line)` of what the nodes print."""
        self.deaths = Deaths(self._clock.now_ns())
        """Of nodes that nobody asked to end, or that failed in doing so."""
        self.respawns = 0

    def start(self) -> None:
        """Start every node."""
        self._began, self.deaths.began_ns = time.monotonic(), self._clock.now_ns()
        for spec in self._specs:
            path = self._folder / f"{spec.name}.params.yaml"
            path.write_text(spec.parameter_file, encoding="utf-8")
            running = _Running(spec, self._spawn(spec))
            self._running.append(running)
            self._listen(running)

    def watch(self) -> None:
        """Start dead nodes again; `NodeFailedError` when one that acts cannot run."""
        now = time.monotonic()
        for running in self._running:
            if running.again_at is not None and now >= running.again_at:
                running.again_at = None
                running.process = self._spawn(running.spec)
                self._listen(running)
                self.respawns += 1
            elif running.again_at is None and not running.dead:
                code = running.process.poll()
                if code is not None:
                    self._died(running, code, now)

    def stop(self) -> None:
        """End the nodes: first the plant, so that no tick is left alone; last the recorder.

        The coordinator goes with the plant: to it, a worker that ends has died.
        """
        for turn in range(3):
            group = [r for r in self._running if _turn(r.spec) == turn
                     and not r.dead and r.again_at is None]
            for running in group:
                # not SIGINT: a process that is still importing would leave a traceback
                _signal(running.process, signal.SIGTERM)
            deadline = time.monotonic() + _GRACE_S
            for running in group:
                self._ended(running, _end(running.process, deadline))

    def pids(self) -> dict[str, int]:
        """Process ids by process: a node's name, but for composed ones."""
        return {running.spec.name: running.process.pid for running in self._running}

    def _died(self, running: _Running, code: int, now: float) -> None:
        spec, words = running.spec, self._last_words(running)
        running.dead = True
        death = self.deaths.died(spec.name, spec.executables, now - self._began, code, words,
                                 respawn=spec.respawn)
        self._say(spec.name, f"died ({death.cause}), {death.then.value}")
        if death.then is Then.RUN_ENDED:
            if code == BAD_CONFIGURATION:
                raise NodeFailedError(words or f"{spec.name} cannot be configured")
            raise NodeFailedError(f"{spec.name} died {self.deaths.counts[spec.name]} times; its "
                                  f"last words: {words or 'none'}")
        if death.then is Then.AGAIN:
            running.dead = False
            running.again_at = now + RESPAWN_DELAY_S

    def _ended(self, running: _Running, code: int) -> None:
        running.dead = True
        if code in _ENDED:
            return
        name, words = running.spec.name, self._last_words(running)
        death = self.deaths.failed_at_the_end(name, time.monotonic() - self._began, code, words)
        self._say(name, f"{death.then.value} ({death.cause})")

    def _say(self, name: str, text: str) -> None:
        self.lines.put((name, f"[ERROR] [{name}]: {text}"))

    def _last_words(self, running: _Running) -> str:
        if running.reader is not None:
            running.reader.join(_LAST_WORDS_S)
        return memory_limit.explained(running.spec.kind, running.last_line.strip())

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[str]:
        arguments = [*spec.arguments, "--ros-args", *spec.names, "--params-file",
                     str(self._folder / f"{spec.name}.params.yaml")]
        if spec.namespace:
            arguments += ["-r", f"__ns:=/{spec.namespace.strip('/')}"]
        return subprocess.Popen(
            [sys.executable, "-m", f"{PACKAGE}.nodes.{spec.executable}", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", errors="replace", start_new_session=True,
            env={**os.environ, **environment.additions(os.environ), **self._clock.environment,
                 "PYTHONIOENCODING": "utf-8:backslashreplace", PARENT_VARIABLE: str(os.getpid())})

    def _listen(self, running: _Running) -> None:
        running.last_line = ""
        running.reader = threading.Thread(
            target=self._read, args=(running, running.process), daemon=True)
        running.reader.start()

    def _read(self, running: _Running, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        for text in lines_of(process.stdout):
            running.last_line = text or running.last_line
            self.lines.put((running.spec.name, text))


@contextlib.contextmanager
def started(supervisor: Supervisor) -> Iterator[None]:
    """Start the nodes, and end them in order whatever happens.

    SIGTERM and a terminal that hangs up end a run as Ctrl-C does, by `KeyboardInterrupt`; under
    `nohup` nothing hangs up. A second one must not cost the bag its end.
    """
    ends = [number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, signal.default_int_handler) for number in ends}
    try:
        supervisor.start()
        yield
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _turn(spec: ProcessSpec) -> int:
    """When a process is ended: the plant first, the recorder last."""
    if "recorder" in spec.executables:
        return 2
    return 0 if {"plant", "robot", "coordinator"} & set(spec.executables) else 1


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _end(process: subprocess.Popen[str], deadline: float) -> int:
    """Wait for a process, then insist; return its status."""
    try:
        return process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        return process.wait()
