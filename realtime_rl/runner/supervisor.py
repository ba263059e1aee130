"""Starts node processes, starts them again when they die, and ends them in order."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.ros.graph import PACKAGE, PARENT_VARIABLE, NodeSpec, parameter_file
from realtime_rl.ros.run_clock import RunClock
from realtime_rl.ros.transport import node_environment

_RESPAWN_DELAY_S = 0.5
_MAX_DEATHS = 5
"""Deaths within `_DEATH_WINDOW_S` after which a node is given up."""
_DEATH_WINDOW_S = 20.0
_GRACE_S = 5.0
_LAST_WORDS_S = 1.0
"""What a dead node said is waited for so long: its descendants may hold the pipe open."""
_BAD_CONFIGURATION = 2
_STARTUP_S = 15.0
"""A node that refuses its configuration so soon ends the run; later, the others go on."""


class NodeFailedError(RealtimeRlError):
    """A node cannot run: it says so itself, or it dies again and again."""


@dataclass(slots=True)
class _Running:
    spec: NodeSpec
    process: subprocess.Popen[str]
    started: float = field(default_factory=time.monotonic)
    deaths: list[float] = field(default_factory=list)
    reader: threading.Thread | None = None
    last_line: str = ""
    dead: bool = False
    again_at: float | None = None


class Supervisor:
    """The processes of one graph. Call `watch` a few times a second."""

    def __init__(self, nodes: list[NodeSpec], folder: Path) -> None:
        """Prepare to run `nodes`; parameter files are written into `folder`."""
        self._folder = folder
        self._specs = nodes
        self._clock = RunClock()
        self._running: list[_Running] = []
        self.lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        """`(node, line)` of what the nodes print."""
        self.respawns = 0

    def start(self) -> None:
        """Start every node."""
        for spec in self._specs:
            path = self._folder / f"{spec.name}.params.yaml"
            path.write_text(parameter_file(spec), encoding="utf-8")
            running = _Running(spec, self._spawn(spec))
            self._running.append(running)
            self._listen(running)

    def watch(self) -> None:
        """Start dead nodes again; `NodeFailedError` when one cannot run."""
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
        order = {"plant": 0, "coordinator": 0, "recorder": 2}
        for turn in range(3):
            group = [r for r in self._running if order.get(r.spec.executable, 1) == turn]
            for running in group:
                # not SIGINT: a process that is still importing would leave a traceback
                _signal(running.process, signal.SIGTERM)
            deadline = time.monotonic() + _GRACE_S
            for running in group:
                _end(running.process, deadline)

    @property
    def lost(self) -> dict[str, str]:
        """Nodes that died and are not started again, each with its last line."""
        return {running.spec.name: running.last_line for running in self._running if running.dead}

    def pids(self) -> dict[str, int]:
        """Process ids by node name."""
        return {running.spec.name: running.process.pid for running in self._running}

    def _died(self, running: _Running, code: int, now: float) -> None:
        name = running.spec.name
        if running.reader is not None:
            running.reader.join(_LAST_WORDS_S)
        if code == _BAD_CONFIGURATION and now - running.started < _STARTUP_S:
            raise NodeFailedError(running.last_line or f"{name} cannot be configured")
        self.lines.put((name, f"[ERROR] [{name}]: died with status {code}"))
        running.deaths = [t for t in running.deaths if now - t < _DEATH_WINDOW_S] + [now]
        if not running.spec.respawn:
            running.dead = True
        elif len(running.deaths) >= _MAX_DEATHS:
            raise NodeFailedError(f"{name} died {len(running.deaths)} times; its last words: "
                                  f"{running.last_line or 'none'}")
        else:
            running.again_at = now + _RESPAWN_DELAY_S

    def _spawn(self, spec: NodeSpec) -> subprocess.Popen[str]:
        arguments = ["--ros-args", "-r", f"__node:={spec.name}", "--params-file",
                     str(self._folder / f"{spec.name}.params.yaml")]
        if spec.namespace:
            arguments += ["-r", f"__ns:=/{spec.namespace.strip('/')}"]
        return subprocess.Popen(
            [sys.executable, "-m", f"{PACKAGE}.nodes.{spec.executable}", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", start_new_session=True,
            env={**os.environ, **node_environment(os.environ),
                 **self._clock.environment, PARENT_VARIABLE: str(os.getpid())})

    def _listen(self, running: _Running) -> None:
        running.reader = threading.Thread(
            target=self._read, args=(running, running.process), daemon=True)
        running.reader.start()

    def _read(self, running: _Running, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        for line in process.stdout:
            text = line.rstrip()
            running.last_line = text or running.last_line
            self.lines.put((running.spec.name, text))


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


def _end(process: subprocess.Popen[str], deadline: float) -> None:
    """Wait for a process, then insist."""
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
