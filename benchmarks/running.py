"""One `realtime-rl run` of its own process, to be disturbed from outside."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from realtime_rl import strict_json

ROOT = Path(__file__).resolve().parent.parent
_END_S = 60.0
_NODE = "realtime_rl.nodes."


class Running:
    """A run and all that it says. Use it as a context: it is ended at the latest there."""

    def __init__(self, folder: Path, words: Sequence[str], *, duration_s: float,
                 environment: Mapping[str, str] | None = None,
                 config: Path = ROOT / "config" / "catch.yaml") -> None:
        """Start it.

        Args:
            folder: for what it leaves behind; its bag is `folder/bag` unless `words` say so.
            words: as for `--set`.
            duration_s: after which it ends by itself.
            environment: on top of this process' own.
            config: of the scenario.
        """
        self.bag = folder / "bag"
        words = [f"scenario.run_dir={folder / 'policies'}", f"scenario.record={self.bag}", *words]
        self.lines: list[tuple[float, str]] = []
        """When on the monotonic clock [s], and what was said."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "realtime_rl.cli.main", "run", "--no-live",
             "--config", str(config), "--duration", str(duration_s),
             *(word for each in words for word in ("--set", each))],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", env={**os.environ, **(environment or {})})
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def pids(self) -> dict[str, int]:
        """Process ids of the nodes that live, by name."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                words = (entry / "cmdline").read_text(errors="replace").split("\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            names = [word[8:] for word in words if word.startswith("__node:=")]
            if names and parent == self.process.pid and any(_NODE in word for word in words):
                found[names[0]] = int(entry.name)
        return found

    def wait_for(self, *names: str, timeout_s: float) -> dict[str, int]:
        """Wait until these nodes live; return the ids of all. `TimeoutError` names who does not."""
        deadline_s = time.monotonic() + timeout_s
        while set(names) - (pids := self.pids()).keys():
            if time.monotonic() > deadline_s or self.process.poll() is not None:
                raise TimeoutError(f"{sorted(set(names) - pids.keys())} not started; last words: "
                                   f"{self.lines[-1][1] if self.lines else 'none'}")
            time.sleep(0.05)
        return pids

    def wait(self, seconds: float = 0.0) -> int | None:
        """Wait for an end due in so long; return the status, `None`: it had to be killed."""
        try:
            return self.process.wait(seconds + _END_S)
        except subprocess.TimeoutExpired:
            self._end()
            return None
        finally:
            self._reader.join(5.0)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self._end()

    def _end(self) -> None:
        """SIGTERM, then SIGKILL; stopped nodes go on, else they would stay."""
        for pid in self.pids().values():
            os.kill(pid, signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(15.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text := line.strip():
                self.lines.append((time.monotonic(), text))


def run_each(description: str | None, faults: Iterable[str], run: Callable[[str, bool], Any],
             row: Callable[[Any], str]) -> int:
    """Make the runs that a command line asks for, and print what came of them.

    Args:
        description: of the command line's help.
        faults: that there are.
        run: makes one run with one fault, perhaps verbosely; returns a dataclass with `wrong`.
        row: an outcome in one line.

    Returns:
        the exit status: 1 where something was wrong.
    """
    names = [*faults]
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names, metavar="FAULT", default=names,
                        help=f"of {', '.join(names)}")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="each (default: 3)")
    parser.add_argument("--json", choices=("-",), help="print JSON")
    parser.add_argument("--verbose", action="store_true", help="print all that is said")
    args = parser.parse_args()
    private_environment()
    outcomes = []
    for name in args.only:
        for _ in range(args.runs):
            outcomes.append(run(name, args.verbose))
            print(row(outcomes[-1]), file=sys.stderr if args.json else sys.stdout, flush=True)
    if args.json:
        print(strict_json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
    return 1 if any(outcome.wrong for outcome in outcomes) else 0


def telling(lines: Sequence[str], pattern: str) -> str:
    """The first line in which `pattern` is found, whatever the case; empty when none."""
    found = re.compile(pattern, re.IGNORECASE)
    return next((line for line in lines if pattern and found.search(line)), "")


def private_environment() -> None:
    """Talk to nobody but the nodes that are started from here."""
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


def build_clock_shim(folder: Path) -> dict[str, str]:
    """Build `clock_shim.c`; return what a process needs in its environment to have it.

    Raises:
        OSError: there is no C compiler.
        subprocess.CalledProcessError: it could not build the library.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise OSError("setting the clock needs a C compiler (gcc)")
    library, offset = folder / "clock_shim.so", folder / "clock_offset"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library),
                    str(Path(__file__).with_name("clock_shim.c")), "-ldl"], check=True)
    offset.write_bytes(bytes(8))
    return {"LD_PRELOAD": str(library), "CLOCK_SHIM": str(offset)}


def set_clock(environment: Mapping[str, str], by_s: float) -> None:
    """Put the system clock of every process with `build_clock_shim`'s environment off by so much.

    The file is written in place: the processes have it mapped.
    """
    with Path(environment["CLOCK_SHIM"]).open("r+b") as file:
        file.write(round(by_s * 1e9).to_bytes(8, sys.byteorder, signed=True))
