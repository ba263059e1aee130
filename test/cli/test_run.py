"""How a run ends: status, summary, what is noted in the bag. Small scripts are its nodes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import synthetic
from handmade import step

from realtime_rl.bags import run_record
from realtime_rl.bags.writer import BagWriter
from realtime_rl.cli import run
from realtime_rl.cli.main import main
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.peers.noted import Noted
from realtime_rl.core.settings.parameters import Scenario
from realtime_rl.core.types import ActionSpace, PlantSpec
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.runner import supervisor
from realtime_rl.runner.prepare import Prepared

PLANT = PlantSpec("toy", 20_000_000, ObservationSpec((4,), "float32", -1.0, 1.0),
                  ActionSpace(("v",), (0.0,), (-0.1,), (0.1,)))
WAITS = "import signal; signal.pause()"
DIES = "print('no motor'); raise SystemExit(1)"
FAILS_AT_THE_END = """
    import signal, sys
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print("[WARN] ready", flush=True)
    while True: signal.pause()
"""


class View:
    """A live view that ends the run, as Ctrl-C does, once it was told what it waits for."""

    def __init__(self, prepared: Prepared, **unused: object) -> None:
        self.end, self.noted = "", Noted()

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def say(self, line: str) -> None:
        print(line, file=sys.stderr)

    def update(self, lines: supervisor.queue.SimpleQueue[tuple[str, str]], elapsed_s: float
               ) -> None:
        assert elapsed_s < 60.0
        while not lines.empty():
            if END in lines.get()[1]:
                raise KeyboardInterrupt

    def drain(self, lines: object) -> None:
        pass


END = "the end"


@pytest.fixture
def bag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the bag that a run with `nodes` records."""
    (tmp_path / "fake_package" / "nodes").mkdir(parents=True)
    (tmp_path / "bag").mkdir()
    monkeypatch.setattr(supervisor, "PACKAGE", "fake_package")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(run, "check_last", lambda prepared: [])
    monkeypatch.setattr(run, "adopt", list)
    monkeypatch.setattr(run, "LiveView", View)
    monkeypatch.setattr(run.report, "main", lambda args: print("the report"))
    return tmp_path / "bag"


def outcome(bag: Path, monkeypatch: pytest.MonkeyPatch, end: str, *, respawn: bool = True,
            **sources: str) -> int:
    """Run scripts until one of them says `end`; return the status."""
    for name, source in sources.items():
        (bag.parent / "fake_package" / "nodes" / f"{name}.py").write_text(textwrap.dedent(source))
    monkeypatch.setattr(sys.modules[__name__], "END", end)
    monkeypatch.setattr(run, "prepare", lambda config, words, **wanted: Prepared(
        Scenario(record=str(bag)), PLANT,
        [NodeSpec(name, name, "", {}, respawn) for name in sources], bag.parent))
    return main(["run", "--config", "any"])


def test_where_all_live_to_the_end_the_status_is_0(
        bag: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(bag, monkeypatch, "ready", plant=WAITS, monitor=f"print('ready', flush=True); "
                   f"{WAITS}") == 0
    noted = run_record.read(bag)
    assert noted is not None and noted.count == 0
    assert capsys.readouterr().out.endswith("the report\n")


def test_a_death_is_summed_up_noted_and_makes_the_status_1(
        bag: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(bag, monkeypatch, "not started again", plant=WAITS, recorder=DIES,
                   respawn=False) == 1
    noted = run_record.read(bag)
    assert noted is not None and noted.count == 1
    assert "recorder died at " in capsys.readouterr().err
    assert noted.lines[0].endswith("(status 1), not started again: no motor")


@pytest.mark.parametrize("kind", [errno.EPIPE, errno.EIO])
def test_a_summary_that_nobody_reads_does_not_make_all_well(
        bag: Path, monkeypatch: pytest.MonkeyPatch, kind: int) -> None:
    def fail(args: object) -> None:
        raise OSError(kind, "nobody reads")

    monkeypatch.setattr(run.report, "main", fail)
    dropped: list[object] = []
    monkeypatch.setattr(run, "drop", dropped.append)
    assert outcome(bag, monkeypatch, "not started again", recorder=DIES, respawn=False) == 1
    assert dropped == [sys.stdout]


def test_a_failure_in_the_end_is_told_too(
        bag: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(bag, monkeypatch, "ready", recorder=FAILS_AT_THE_END) == 1
    captured = capsys.readouterr()
    assert "recorder failed in ending at " in captured.err
    assert captured.out.endswith("the report\n")


def test_who_acts_and_dies_again_and_again_ends_the_run_with_its_report(
        bag: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(supervisor, "RESPAWN_DELAY_S", 0.0)
    assert outcome(bag, monkeypatch, "never", plant=DIES) == 2
    captured = capsys.readouterr()
    assert captured.err.endswith(
        "realtime-rl run: error: plant died 5 times; its last words: no motor\n")
    assert "5 deaths of it in all" in captured.err
    assert captured.out.endswith("the report\n")


CLOSED = """
import sys
from realtime_rl.cli import live_view
view = live_view.LiveView(None, verbose=False, live=False)
for line in range(100_000):
    view.say(str(line))
print("went on", file=sys.stdout)
"""


def test_behind_a_closed_pipe_a_run_goes_on() -> None:
    process = subprocess.Popen([sys.executable, "-c", CLOSED], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "0\n"
    process.stderr.close()
    assert process.communicate()[0] == "went on\n"
    assert process.returncode == 0


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_what_a_locale_cannot_say_is_spelt_out(encoding: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "realtime_rl.cli.main", "run", "--config", "catch", "--set",
         "scenario.namespace=ελ"], capture_output=True, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": encoding})
    assert done.returncode == 2
    assert b"namespace: '\\u03b5\\u03bb' is no namespace of ROS 2" in done.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_report_is_written_whatever_the_locale(encoding: str, tmp_path: Path) -> None:
    bag, page = tmp_path / "bag", tmp_path / "page.html"
    with BagWriter(bag, list(synthetic.topics())) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0, plant="Fuß-ε")), 0)
    done = subprocess.run(
        [sys.executable, "-m", "realtime_rl.cli.main", "report", str(bag), "--html", str(page)],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u03b5: 1 ticks" in done.stdout
    assert "Fuß-ε" in page.read_text(encoding="utf-8")
