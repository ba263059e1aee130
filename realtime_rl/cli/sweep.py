"""`realtime-rl train --sweep`: every cell a training of its own, in a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import yaml

from realtime_rl.cli import sweep_result
from realtime_rl.core.errors import ConfigError
from realtime_rl.files import user_path
from realtime_rl.plants import option_paths
from realtime_rl.simulate.sweep import Cell, Part, parts_of, text_of

_SOURCES = Path(__file__).resolve().parents[2] / "config" / "sweeps"
_INSTALLED = Path(sysconfig.get_path("data")) / "share" / "realtime_rl" / "config" / "sweeps"
_INTERRUPTED = (130, -2, -15)


def main(args: argparse.Namespace) -> int:
    """Run what is missing of a sweep, then write its table and its pictures."""
    path = find(args.sweep)
    parts = parts_of(_read(path), source=str(path), size=args.size, given=files_of(args.option))
    if args.jobs < 1:
        raise ConfigError(f"--jobs {args.jobs!r} must be 1 or more")
    parts = _there(parts)
    cells = {cell.key: cell for part in parts for cell in part.cells}
    folder: Path = args.out
    if (folder / "checkpoint.json").exists():
        raise ConfigError(f"{str(folder)!r} is the folder of one training; take another for a "
                          "table of them")
    try:
        (folder / "cells").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{str(folder)!r} cannot be written to: {error.strerror}") from error
    missing = [cell for key, cell in cells.items() if _result(folder, key) is None]
    budget = sum(int(cell.settings.get("ticks", 0)) for cell in missing)
    print(f"{len(cells)} trainings, {len(cells) - len(missing)} finished; {budget} ticks to go; "
          f"how far each is: {folder / 'cells'}/*.log", file=sys.stderr)
    failed, interrupted = _execute(missing, folder, args.jobs, path.absolute().parent)
    results = {key: result for key in cells if (result := _result(folder, key)) is not None}
    sweep_result.put(parts, results, folder)
    if interrupted:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    if failed:
        raise ConfigError(f"{len(failed)} of {len(cells)} trainings failed; why stands above and "
                          f"in {str(folder / 'cells')!r}, as {failed[0] + '.log'!r}; the same "
                          "command tries them again")
    return 0


def files_of(words: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read `PART.OPTION=FILE` words: files of the user's, by part and option; `ConfigError`."""
    found: dict[str, dict[str, str]] = {}
    for word in words:
        place, _, text = word.partition("=")
        part, _, option = place.strip().partition(".")
        if not (part and option and text.strip()):
            raise ConfigError(f"--option {word!r}: what is trained stands in the sweep's file; for "
                              "a file of yours that a part needs write 'PART.OPTION=FILE'")
        path = user_path(text.strip()).absolute()
        if not path.exists():
            raise ConfigError(f"--option {word!r}: there is no file or folder {str(path)!r}")
        found.setdefault(part, {})[option] = str(path)
    return found


def _there(parts: Sequence[Part]) -> list[Part]:
    """Return the parts that are trained, and say which are left out; `ConfigError` when all are."""
    said = [f"{part.name} is left out: {part.left_out}" for part in parts if part.left_out]
    kept = [part for part in parts if not part.left_out]
    if not kept:
        raise ConfigError("nothing to train: " + "; ".join(said))
    for line in said:
        print(line, file=sys.stderr)
    return kept


def find(name: str) -> Path:
    """Return the file of a sweep, given its path or a bundled one's name; `ConfigError`."""
    for path in (user_path(name), _SOURCES / f"{name}.yaml", _INSTALLED / f"{name}.yaml"):
        if path.is_file():
            return path
    known = sorted(path.stem for folder in (_SOURCES, _INSTALLED) for path in folder.glob("*.yaml"))
    raise ConfigError(f"sweep {name!r}: no such file; bundled: "
                      f"{', '.join(dict.fromkeys(known)) or 'none'}")


def command(cell: Cell, folder: Path, source: Path) -> list[str]:
    """Return the arguments of `realtime-rl` that train one cell, and write its result.

    Files that its plant's options name are relative to `source`, the folder of the sweep's file.
    """
    plant = str(cell.settings.get("plant", ""))
    words = ["train", "--out", str(_run(folder, cell.key)), "--resume", "--keep-replay", "--json",
             str(_path(folder, cell.key))]
    for name, value in cell.settings.items():
        text = text_of(value)
        section, _, key = name.partition(".")
        if section == "learner":
            words += ["--set", f"{name}={text}"]
        elif section == "option":
            words += ["--option", *option_paths.anchored(plant, [f"{key}={text}"], source)]
        else:
            words += [f"--{name.replace('_', '-')}", text]
    return words


class Processes:
    """Runs `realtime-rl` in processes of their own, which end with this one."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def __call__(self, arguments: Sequence[str], log: Path) -> int:
        """Run it with its output in `log`; return its exit status."""
        with log.open("wb") as output:
            with self._lock:
                if self._stopped:
                    return _INTERRUPTED[0]
                process = subprocess.Popen(
                    [sys.executable, "-m", "realtime_rl.cli.main", *arguments],
                    stdout=output, stderr=subprocess.STDOUT)
                self._running.add(process)
            status = process.wait()
            with self._lock:
                self._running.discard(process)
        return status

    def stop(self) -> None:
        """Ask each to end, with a checkpoint; start no more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()


def _execute(cells: Sequence[Cell], folder: Path, jobs: int, source: Path
             ) -> tuple[list[str], bool]:
    """Train the cells, `jobs` at a time; return the keys that failed, and whether to stop."""
    failed: list[str] = []
    interrupted = False
    run = Processes()
    with ThreadPoolExecutor(jobs) as pool, _interrupted_by_sigterm():
        pending = {pool.submit(run, command(cell, folder, source),
                               folder / "cells" / f"{cell.key}.log"): cell for cell in cells}
        try:
            for number, done in enumerate(as_completed(pending), 1):
                cell = pending[done]
                status = done.result()
                word = ("done" if status == 0 else
                        f"status {status}: {_last_line(folder / 'cells' / f'{cell.key}.log')}")
                print(f"[{number}/{len(cells)}] {cell.key}: {word}", file=sys.stderr, flush=True)
                if status in _INTERRUPTED:
                    interrupted = True
                    break
                if status == 0:
                    _tidy(_run(folder, cell.key))
                else:
                    failed.append(cell.key)
        except KeyboardInterrupt:
            interrupted = True
        run.stop()
        pool.shutdown(cancel_futures=True)
    return failed, interrupted


def _last_line(log: Path) -> str:
    """Return what a training said last; empty when it said nothing."""
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")
    return ""


@contextlib.contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tidy(run: Path) -> None:
    """Remove what a finished training goes on from: replays of a whole table fill a disk."""
    from realtime_rl.learning import checkpoint

    with contextlib.suppress(OSError):
        checkpoint.remove(run)


def _run(folder: Path, key: str) -> Path:
    return folder / "runs" / key


def _path(folder: Path, key: str) -> Path:
    return folder / "cells" / f"{key}.json"


def _result(folder: Path, key: str) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = json.loads(_path(folder, key).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{str(_path(folder, key))!r} cannot be read: {error}; remove it to "
                          "train that cell again") from error
    return result


def _read(path: Path) -> Any:  # noqa: ANN401 - checked by `parts_of`
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"sweep {str(path)!r} cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"sweep {str(path)!r} is not YAML: {place}{error.problem}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"sweep {str(path)!r} is not YAML: {str(error).splitlines()[0]}"
                          ) from error
