"""Bags of several files, compressed, incomplete, doubled or mixed, and those of a wrong clock."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import synthetic
import yaml
import zstandard
from bags.test_bag_reader import everything
from rosbags.rosbag2 import StoragePlugin, Writer
from synthetic import Made, Scenario

from realtime_rl.bags import messages
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.report import make_report
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.errors import BagError

MADE = synthetic.make(Scenario(ticks=240, episode_ticks=50, policy_every_ticks=100))
START_NS = MADE.records[0][0]
PARTS = 3
STORAGES = ("mcap", "db3")
Records = Iterable[tuple[int, object]]


def written(folder: Path, records: Records, storage: str) -> Path:
    """Write a bag with metadata, in the order of `records`; return its file."""
    if storage == "mcap":
        synthetic.write(folder, Made(list(records)))
    else:
        with Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
            connections = {topic.name: writer.add_connection(
                topic.name, topic.type, typestore=messages.typestore())
                for topic in synthetic.topics()}
            for receive_ns, record in records:
                name = synthetic.TOPIC_OF.get(type(record), "policy")
                writer.write(connections[f"/{name}"], receive_ns, synthetic.cdr_of(record))
    return next(file for file in folder.iterdir() if file.suffix == f".{storage}")


@pytest.fixture(scope="module", params=STORAGES)
def split(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the parts of a bag and a note of somebody's, without metadata."""
    storage, base = request.param, tmp_path_factory.mktemp("split")
    (folder := base / "run").mkdir()
    size = -(-len(MADE.records) // PARTS)
    for part in range(PARTS):
        file = written(base / f"part{part}", MADE.records[part * size:(part + 1) * size], storage)
        shutil.move(file, folder / f"run_{part}.{storage}")
    (folder / "notes.txt").write_text("Tuesday, all well")
    return folder


@pytest.fixture
def folder(split: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(split, tmp_path / "run"))


def parts(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.name.startswith("run_"))


def pack(file: Path, suffix: str) -> None:
    file.with_name(file.name + suffix).write_bytes(
        zstandard.ZstdCompressor().compress(file.read_bytes()))
    file.unlink()


def metadata(folder: Path, names: Iterable[str]) -> None:
    """As rosbag2 writes it, as far as it matters here."""
    (folder / "metadata.yaml").write_text(yaml.safe_dump({"rosbag2_bagfile_information": {
        "relative_file_paths": list(names)}}))


def test_several_files_without_metadata(folder: Path) -> None:
    run = read_run(folder)
    assert everything(run.records) == everything(MADE.run)
    [line] = run.warnings
    assert line.startswith("the bag was not closed in order (it has no metadata.yaml)")


@pytest.mark.parametrize("suffix", [".zstd", ".zst"])
def test_compressed_files(folder: Path, suffix: str) -> None:
    for file in parts(folder)[1:]:
        pack(file, suffix)
    assert everything(read_run(folder).records) == everything(MADE.run)
    alone = read_run(parts(folder)[1])
    assert alone.warnings == ()
    assert 0 < len(alone.records.timesteps) < 240


def test_files_that_were_compressed_after_they_were_listed(folder: Path) -> None:
    metadata(folder, [file.name for file in parts(folder)])
    for file in parts(folder):
        pack(file, ".zstd")
    assert everything(read_run(folder).records) == everything(MADE.run)


@pytest.mark.parametrize("listed", [True, False])
def test_a_part_that_is_missing_is_named_and_the_rest_is_read(folder: Path, listed: bool) -> None:
    if listed:
        metadata(folder, [file.name for file in parts(folder)])
    lost = parts(folder)[1]
    lost.unlink()
    report = make_report(folder)
    assert report.warnings[0] == f"{lost.name} is missing: what it held is not read"
    gaps = report.figures["recording"]["gaps"]
    assert report.warnings[1].startswith(f"{gaps} tick(s) are absent from the recording: ")
    assert gaps > 50
    assert report.figures["plant"]["ticks"] + gaps == 240


def test_the_last_of_a_listed_bag_may_be_missing_too(folder: Path) -> None:
    metadata(folder, [file.name for file in parts(folder)])
    parts(folder)[2].unlink()
    assert read_run(folder).warnings[0].startswith("run_2.")


@pytest.mark.parametrize("content", [b"", b"\x89MCAP0\r\n", b"a note", b"SQLite format 3\x00"])
def test_an_empty_part_is_said_and_left_out(folder: Path, content: bytes) -> None:
    empty = folder / f"run_3{parts(folder)[0].suffix}"
    empty.write_bytes(content)
    run = read_run(folder)
    assert everything(run.records) == everything(MADE.run)
    assert any(line.startswith(empty.name) for line in run.warnings)


@pytest.mark.parametrize("packed", [True, False])
def test_a_part_that_is_there_twice_is_read_once(folder: Path, packed: bool) -> None:
    first = parts(folder)[0]
    copy = Path(shutil.copy(first, folder / f"copy of {first.name}"))
    if packed:
        pack(copy, ".zstd")
    run = read_run(folder)
    assert everything(run.records) == everything(MADE.run)
    assert any("once more: it is read once" in line for line in run.warnings)


def test_metadata_that_lists_a_part_twice(tmp_path: Path) -> None:
    bag = synthetic.write(tmp_path / "run", MADE)
    content = (bag / "metadata.yaml").read_text()
    (bag / "metadata.yaml").write_text(content.replace(
        "  - run_0.mcap\n", "  - run_0.mcap\n  - run_0.mcap\n"))
    assert everything(read_run(bag).records) == everything(MADE.run)


def test_parts_in_another_order_are_put_in_order(folder: Path) -> None:
    first, second, _ = parts(folder)
    first.rename(folder / "run_7.tmp")
    second.rename(first)
    (folder / "run_7.tmp").rename(second)
    run = read_run(folder)
    assert [step.tick for step in run.records.timesteps] == list(range(240))
    assert run.warnings[0].startswith("the recorder's clock was set back while it recorded, or "
                                      "its files are in another order")
    assert not any("started again" in line for line in make_report(folder).warnings)


def test_files_of_two_bags_are_refused(folder: Path) -> None:
    first = parts(folder)[0]
    other = synthetic.make(Scenario(ticks=90, seed=3))
    shutil.move(written(folder.parent / "other", other.records, first.suffix[1:]),
                folder / f"other_0{first.suffix}")
    with pytest.raises(BagError, match="the files of several bags, 'other', 'run'; name one"):
        read_run(folder)
    metadata(folder, [file.name for file in parts(folder)])
    assert everything(read_run(folder).records) == everything(MADE.run)


def test_files_of_two_storages_are_refused(folder: Path) -> None:
    storage = STORAGES[parts(folder)[0].suffix == ".mcap"]
    shutil.move(written(folder.parent / "other", MADE.records, storage),
                folder / f"run_0.{storage}")
    with pytest.raises(BagError, match=r"run_0\.db3.*run_0\.mcap.*; name one, or leave one"):
        read_run(folder)


def set_back(by_s: float) -> list[tuple[int, object]]:
    """The records as a recorder writes them whose clock is set back in the middle."""
    middle_ns = START_NS + 2 * 10**9
    return [(at_ns - round(by_s * 1e9) * (at_ns > middle_ns), record)
            for at_ns, record in MADE.records]


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("by_s", [0.3, 3600.0])
@pytest.mark.parametrize("rewritten", [False, True], ids=["as-recorded", "as-converted"])
def test_a_clock_that_is_set_back_changes_no_figure(
        tmp_path: Path, storage: str, by_s: float, rewritten: bool) -> None:
    records = set_back(by_s)
    if rewritten:
        # `ros2 bag convert` writes in the order of the recorder's clock
        records.sort(key=lambda entry: entry[0])
    straight = make_report(written(tmp_path / "straight", MADE.records, storage))
    bent = make_report(written(tmp_path / "bent", records, storage).parent)
    assert not any("started again" in line for line in bent.warnings)
    assert [line for line in bent.warnings if "clock was set back" not in line] == []
    for key in ("plant", "interaction", "inference", "learning", "episodes"):
        assert bent.figures[key] == straight.figures[key], key  # type: ignore[literal-required]
    duration_s = bent.figures["recording"]["duration_s"]
    assert duration_s == pytest.approx(straight.figures["recording"]["duration_s"], abs=0.2)


def test_two_graphs_at_once_are_no_clock_that_was_set(tmp_path: Path) -> None:
    other = synthetic.make(Scenario(ticks=300, seed=1))
    both = sorted([*MADE.records, *(
        (at_ns + 5_000_000, record) for at_ns, record in other.records)], key=lambda each: each[0])
    warnings = make_report(written(tmp_path / "two", both, "mcap")).warnings
    assert not any("clock was set back" in line for line in warnings)


def test_messages_that_are_compressed_one_by_one(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "run", [*synthetic.topics(), TopicInfo(
            "/observation", messages.IMAGE)]) as bag:
        for at_ns, record in MADE.records:
            name = synthetic.TOPIC_OF.get(type(record), "policy")
            bag.write(f"/{name}", zstandard.ZstdCompressor().compress(synthetic.cdr_of(record)),
                      at_ns)
        bag.write("/observation", messages.image_to_cdr(1, "tick=0", np.zeros((1, 2, 2), np.uint8)),
                  at_ns)
    (tmp_path / "run" / "metadata.yaml").unlink()
    assert everything(read_run(tmp_path / "run").records)["timesteps"] == everything(
        MADE.run)["timesteps"]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_what_a_killed_recorder_left_beside_its_database_is_read(
        tmp_path: Path, mode: str, listed: bool) -> None:
    """`-wal` holds what was recorded last; `-journal` what a half-written change is undone by."""
    whole = written(tmp_path / "whole", MADE.records, "db3")
    with closing(sqlite3.connect(whole)) as writer:
        writer.execute("PRAGMA cache_size=1")  # changes reach the file before they are complete
        writer.execute(f"PRAGMA journal_mode={mode}")
        columns = "id, topic_id, timestamp, data"
        last = writer.execute(f"SELECT {columns} FROM messages WHERE id > 5").fetchall()
        writer.execute("DELETE FROM messages WHERE id > 5")
        if mode == "wal":
            writer.commit()
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            writer.executemany(f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?)", last)
            writer.commit()
        (killed := tmp_path / "run").mkdir()
        for file in whole.parent.glob("*.db3*"):
            shutil.copy(file, killed)
        (killed / f"{whole.name}-shm").unlink(missing_ok=True)
    if listed:
        metadata(killed, [whole.name])
    before = {file.name: file.read_bytes() for file in killed.iterdir()}
    assert len(before) == 2 + listed
    killed.chmod(0o555)
    run = read_run(killed)
    assert everything(run.records) == everything(MADE.run)
    [line] = run.warnings
    assert "not closed in order" in line
    assert {file.name: file.read_bytes() for file in killed.iterdir()} == before


def test_a_journal_that_cannot_be_copied_is_named(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(tmp_path / "run", MADE.records, "db3")
    whole.with_name(f"{whole.name}-wal").write_bytes(b"x")

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    run = read_run(tmp_path / "run")
    assert everything(run.records) == everything(MADE.run)
    assert any(f"{whole.name}-wal is left out: " in line and "No space left" in line
               for line in run.warnings)
