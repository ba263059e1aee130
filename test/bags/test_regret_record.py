"""What `regret --json` writes, as the report reads and shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from bags.played import play, record

from realtime_rl import strict_json
from realtime_rl.bags import regret_record
from realtime_rl.bags.html import page
from realtime_rl.bags.reader import Run, read_run
from realtime_rl.bags.report import make_report
from realtime_rl.cli.main import main
from realtime_rl.core.errors import BagError
from realtime_rl.core.figures.regret import TERMS, Decomposition, Returns
from realtime_rl.core.figures.statistics import episodes_of, plant_sessions
from realtime_rl.plants import registry

EPISODES = 4


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plant = registry.make("counter", {"observation": "image", "episode_ticks": 20}, 3)
    return record(tmp_path_factory.mktemp("bags") / "run", play(plant, EPISODES * 21 + 5),
                  plant.spec.observation)


def found(run: Run) -> Decomposition:
    sessions = plant_sessions(run.records.timesteps)
    episodes = episodes_of(sessions)
    begun = sessions.ticks.ints("tick")[episodes.firsts].tolist()
    assert len(begun) == EPISODES
    return Decomposition(tuple(
        Returns(tick, float(place), 20.1 + place, 15.7, 11.0 - place, 9.3, recorded)
        for place, (tick, recorded) in enumerate(zip(begun, episodes.returns.tolist(),
                                                     strict=True))))


def written(folder: Path, run: Run) -> Path:
    path = folder / "regret.json"
    path.write_text(strict_json.dumps(regret_record.document(run, "player", found(run), 0.1)))
    return path


def test_what_is_read_is_what_was_written(bag: Path, tmp_path: Path) -> None:
    run = read_run(bag)
    again = regret_record.read(written(tmp_path, run), run)
    assert again.reference == "player"
    for one, other in zip(again.found.episodes, found(run).episodes, strict=True):
        assert (one.tick, one.began_s, one.recorded) == (other.tick, other.began_s, other.recorded)
        assert one.terms == pytest.approx(other.terms)


def test_the_report_shows_it(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, html = written(tmp_path, read_run(bag)), tmp_path / "run.html"
    assert main(["report", str(bag), "--regret", str(path), "--html", str(html)]) == 0
    means = found(read_run(bag)).means
    said = re.search(r"Regret +([-\d.]+)  an episode against 'player': (.*)", (
        capsys.readouterr().out))
    assert said is not None
    assert said[2] == ", ".join(f"{name} {means[name].mean:.2f}" for name in TERMS)
    drawn = html.read_text().split('<figure id="regret">')[1].split("</figure>")[0]
    assert "<h2>What it lost, and to what</h2>" in drawn
    assert all(f"{name} {means[name].mean:.3f}" in drawn for name in TERMS)


@pytest.mark.parametrize(("change", "message"), [
    ({"schema": 9}, "its schema is 9, not 1"),
    ({"of_episodes": [{}]}, r"is not what `realtime-rl regret --json` writes: KeyError"),
    ({"of_episodes": [], "reason": "it is a robot's"}, "has no episodes: it is a robot's"),
    ({"of_episodes": [{"tick": 21, "began_s": 0, "reference": 1, "recorded": 999,
                       **dict.fromkeys(TERMS, 0)}]},
     "is of another run than .* no episode from tick 21 on with the return 999"),
])
def test_what_is_none_of_this_run_is_refused(bag: Path, tmp_path: Path, change: dict[str, object],
                                             message: str) -> None:
    run = read_run(bag)
    path = written(tmp_path, run)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BagError, match=message):
        regret_record.read(path, run)


def test_what_cannot_be_read_is_one_line(bag: Path, tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no JSON")
    for words, message in (
            ([str(bag), "--regret", str(tmp_path / "absent")], "absent' cannot be read: No such"),
            ([str(bag), "--regret", str(tmp_path / "text")], "is not what `realtime-rl regret"),
            ([str(bag), str(bag), "--regret", "any"], "--regret: of one bag that is whole")):
        assert main(["report", *words]) == 2
        err = capsys.readouterr().err.splitlines()
        assert len(err) == 1 and message in err[0]


def test_some_of_what_was_seen_is_in_the_page(bag: Path) -> None:
    report = make_report(bag)
    html = page(report)
    strip = html.split('<section id="seen"')[1].split("</section>")[0]
    said = re.findall(r"<span>([\d.]+) s, episode (\d+)</span>", strip)
    assert 6 <= len(said) <= 12 and strip.count("data:image/png;base64,") == len(said)
    assert said[0] == ("0.0", "0")
    period_s = report.run.records.timesteps[0].period_ns / 1e9
    for at_s, episode in said:
        assert int(episode) == int(round(float(at_s) / period_s) // 21) or float(at_s) < 0.1
    seen = [observed.value for _, observed in report.run.seen]
    assert all(value.shape == (1, 8, 8) for value in seen)
    assert len({value.tobytes() for value in seen}) > 1
    assert np.all(np.diff([observed.stamp_ns for _, observed in report.run.seen]) > 0)
