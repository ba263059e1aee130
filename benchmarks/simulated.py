"""A simulated robot in a process of its own, beside what is tried on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.running import ROOT


@contextmanager
def simulated(words: Sequence[str], log: Path | None = None,
              environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run `examples/robot_sim` until the end of the context; it is there when that begins.

    Args:
        words: of its command line, as `arm`.
        log: its own.
        environment: on top of this process' own.

    Raises:
        OSError: it ended instead.
    """
    robot = subprocess.Popen(
        [sys.executable, "-m", "examples.robot_sim", *words,
         *(("--log", str(log)) if log else ())],
        cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True)
    try:
        assert robot.stdout is not None
        if not robot.stdout.readline():
            raise OSError(f"robot_sim {' '.join(words)} ended with status {robot.wait()}")
        yield robot
    finally:
        robot.terminate()
        robot.wait(10.0)
