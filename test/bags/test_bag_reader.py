from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import synthetic
from handmade import stamp, step
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rosbags.rosbag2 import StoragePlugin, Writer
from synthetic import Scenario

from realtime_rl.bags import messages
from realtime_rl.bags.reader import observations_of, read_run
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.errors import BagError
from realtime_rl.core.figures.accounting import RunRecords
from realtime_rl.core.figures.robot_figures import RobotNames
from realtime_rl.core.messages.records import Learning, Timestep, Verdict

SHORT = Scenario(ticks=400, episode_ticks=50)


@pytest.fixture(scope="module")
def made() -> synthetic.Made:
    return synthetic.make(SHORT)


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory, made: synthetic.Made) -> Path:
    return synthetic.write(tmp_path_factory.mktemp("bags") / "run", made)


def everything(records: RunRecords) -> dict[str, object]:
    """What `records` hold, comparable where they hold NaN."""
    return {field.name: sorted(records.topics) if field.name == "topics"
            else value if isinstance(value := getattr(records, field.name),
                                     float | RobotNames | None)
            else repr(tuple(value)) for field in fields(records)}


def test_every_record_comes_back(bag: Path, made: synthetic.Made) -> None:
    run = read_run(bag)
    assert everything(run.records) == everything(made.run)
    assert [policy.uri for policy in run.policies] == list(made.run.announced)
    assert (run.namespace, run.warnings, run.recovered) == ("", (), False)
    assert run.start_ns == made.records[0][0]


def test_a_bare_file_will_do(bag: Path, made: synthetic.Made) -> None:
    assert everything(read_run(bag / "run_0.mcap").records) == everything(made.run)


def test_progress_is_told(bag: Path) -> None:
    told: list[tuple[int, int | None]] = []
    read_run(bag, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, told[0][1])
    assert (told[0][1] or 0) > 1000


@pytest.mark.parametrize("metadata", [True, False])
def test_sqlite_bags(tmp_path: Path, made: synthetic.Made, metadata: bool) -> None:
    folder = tmp_path / "run"
    with Writer(folder, version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connections = {topic.name: writer.add_connection(topic.name, topic.type,
                                                         typestore=messages.typestore())
                       for topic in synthetic.topics()}
        for receive_ns, record in made.records:
            name = synthetic.TOPIC_OF.get(type(record), "policy")
            writer.write(connections[f"/{name}"], receive_ns, synthetic.cdr_of(record))
    if not metadata:
        (folder / "metadata.yaml").unlink()
    run = read_run(folder)
    assert everything(run.records) == everything(made.run)
    assert bool(run.warnings) is not metadata


def test_without_metadata_the_file_is_read_and_that_is_said(
        tmp_path: Path, bag: Path, made: synthetic.Made) -> None:
    shutil.copy(bag / "run_0.mcap", tmp_path)
    run = read_run(tmp_path)
    assert everything(run.records) == everything(made.run)
    assert run.recovered
    assert "not closed in order" in run.warnings[0]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[tuple[int, int]], Path]:
    """A bag's bytes; after how many bytes how many ticks had been flushed; room for a cut one."""
    folder = tmp_path_factory.mktemp("cut") / "run"
    flushed, count = [(0, 0)], 0
    with BagWriter(folder, list(synthetic.topics())) as writer:
        for receive_ns, record in synthetic.make(SHORT).records:
            name = synthetic.TOPIC_OF.get(type(record), "policy")
            writer.write(f"/{name}", synthetic.cdr_of(record), receive_ns)
            count += type(record) is Timestep
            if type(record) is Timestep and count % 40 == 0:
                writer.flush()
                flushed.append(((folder / "run_0.mcap").stat().st_size, count))
    return (folder / "run_0.mcap").read_bytes(), flushed, folder.parent / "cut"


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0, exclude_max=True), with_metadata=st.booleans())
def test_a_bag_that_is_cut_off_tells_all_that_was_flushed(
        cut: tuple[bytes, list[tuple[int, int]], Path], share: float,
        with_metadata: bool) -> None:
    data, flushed, folder = cut
    size = int(share * len(data))
    promised = max(ticks for at, ticks in flushed if at <= size)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "run_0.mcap").write_bytes(data[:size])
    if with_metadata:
        shutil.copy(folder.parent / "run" / "metadata.yaml", folder)
    try:
        run = read_run(folder)
    except BagError as error:
        assert promised == 0
        assert "\n" not in str(error)
        return
    ticks = [s.tick for s in run.records.timesteps]
    assert ticks == list(range(len(ticks)))
    assert len(ticks) >= promised
    assert run.recovered
    assert run.warnings


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0.0, 1.0, exclude_max=True), flip=st.integers(1, 255))
def test_a_damaged_byte_never_crashes_the_reader(
        cut: tuple[bytes, list[tuple[int, int]], Path], share: float, flip: int) -> None:
    data, _, folder = cut
    place = int(share * len(data))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    damaged = bytearray(data)
    damaged[place] ^= flip
    (folder / "run_0.mcap").write_bytes(damaged)
    shutil.copy(folder.parent / "run" / "metadata.yaml", folder)
    try:
        run = read_run(folder)
    except BagError as error:
        assert "\n" not in str(error)
        return
    assert run.records.timesteps


def test_several_namespaces(tmp_path: Path, made: synthetic.Made) -> None:
    folder = tmp_path / "fleet"
    writer = BagWriter(folder, [*synthetic.topics("/robot1"), *synthetic.topics("/robot2"),
                                TopicInfo("/chatter", "std_msgs/msg/String")])
    for tick in range(3):
        writer.write("/robot1/timestep", synthetic.cdr_of(step(tick)), tick)
    synthetic.write(folder, made, namespace="/robot2", writer=writer)
    with pytest.raises(BagError, match="choose with --namespace: '/robot1', '/robot2'"):
        read_run(folder)
    with pytest.raises(BagError, match="has no namespace 'robot3'; it has '/robot1', '/robot2'"):
        read_run(folder, "robot3")
    assert len(read_run(folder, "robot1").records.timesteps) == 3
    second = read_run(folder, "/robot2/")
    assert second.namespace == "/robot2"
    assert len(second.records.timesteps) == SHORT.ticks


def test_one_namespace_needs_no_choice(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "run", list(synthetic.topics("/a/b"))) as writer:
        writer.write("/a/b/timestep", synthetic.cdr_of(step(0)), 0)
    assert read_run(tmp_path / "run").namespace == "/a/b"
    with pytest.raises(BagError, match="has no namespace '/'; it has '/a/b'"):
        read_run(tmp_path / "run", "/")


def test_messages_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "run", list(synthetic.topics())) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0)), 0)
        writer.write("/timestep", b"\x00\x01\x00\x00rubbish", 1)
        writer.write("/verdict", synthetic.cdr_of(step(0)), 2)
        writer.write("/verdict", synthetic.cdr_of(step(0)), 3)
        writer.write("/policy", b"", 4)
    run = read_run(tmp_path / "run")
    assert len(run.records.timesteps) == 1
    assert [warning.split(" could")[0] for warning in run.warnings] == [
        "1 message(s) of '/timestep'", "2 message(s) of '/verdict'", "1 message(s) of '/policy'"]
    assert "not a Verdict message" in run.warnings[1]


def test_observations_are_counted_and_read_on_demand(tmp_path: Path) -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    with BagWriter(tmp_path / "run", [*synthetic.topics("/r"), TopicInfo(
            "/r/observation", "sensor_msgs/msg/Image")]) as writer:
        writer.write("/r/timestep", synthetic.cdr_of(step(0)), 1)
        writer.write("/r/observation", b"rubbish", 2)
        writer.write("/r/observation", messages.image_to_cdr(9, "tick=0 first=1", pixels), 3)
    run = read_run(tmp_path / "run")
    assert run.observations == 2
    [observed] = observations_of(run)
    assert (observed.stamp_ns, observed.receive_ns) == (9, 3)
    assert np.array_equal(observed.value, pixels)


@pytest.mark.parametrize("back_s", [3, 600])
def test_a_clock_that_was_set_back_while_recording_changes_nothing(
        tmp_path: Path, back_s: int) -> None:
    """As `ros2 bag record` records it: the index sorts what came before among what came after."""
    pixels = np.zeros((1, 2, 3), np.uint8)
    with BagWriter(tmp_path / "run", [*synthetic.topics(), TopicInfo(
            "/observation", "sensor_msgs/msg/Image")]) as writer:
        for tick in range(200):
            log_ns = stamp(tick) - (tick >= 100) * back_s * 10**9
            writer.write("/timestep", synthetic.cdr_of(step(tick)), log_ns)
            writer.write("/observation", messages.image_to_cdr(
                stamp(tick), f"tick={tick} first=0", pixels), log_ns)
    run = read_run(tmp_path / "run")
    assert [each.tick for each in run.records.timesteps] == list(range(200))
    assert [each.stamp_ns for each in observations_of(run)] == [*map(stamp, range(200))]
    assert "clock was set back" in run.warnings[0]
    assert run.records.duration_s == pytest.approx((stamp(199) - stamp(0)) / 1e9, rel=0.01)
    assert run.start_ns == stamp(0)


def test_a_plant_that_was_started_again_is_no_clock_that_was_set(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "run", list(synthetic.topics())) as writer:
        for index, tick in enumerate([*range(50), *range(50)]):
            writer.write("/timestep", synthetic.cdr_of(step(tick, stamp_ns=stamp(index))),
                         stamp(index))
    run = read_run(tmp_path / "run")
    assert (len(run.records.timesteps), run.warnings, run.recovered) == (100, (), False)


def test_topics_that_were_not_recorded_are_known(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "run", list(synthetic.topics())[:1]) as writer:
        writer.write("/timestep", synthetic.cdr_of(step(0)), 1)
    assert read_run(tmp_path / "run").records.topics == {"timestep"}


def _folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(b"not a bag")
    return path


def test_what_is_not_a_bag(tmp_path: Path) -> None:
    cases = [tmp_path / "absent", _folder(tmp_path / "empty"),
             _folder(tmp_path / "file", "a.mcap") / "a.mcap",
             _folder(tmp_path / "text", "notes.txt") / "notes.txt",
             _folder(tmp_path / "metadata", "metadata.yaml"),
             _folder(tmp_path / "database", "a.db3")]
    for case in cases:
        with pytest.raises(BagError) as caught:
            read_run(case)
        assert str(case) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_bag_of_something_else(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "run", [TopicInfo("/chatter", "std_msgs/msg/String")]) as writer:
        writer.write("/chatter", synthetic.cdr_of("hello"), 0)
    with pytest.raises(BagError, match=r"no topic 'timestep'.*its topics: '/chatter'"):
        read_run(tmp_path / "run")


def test_a_bag_without_a_single_tick(tmp_path: Path) -> None:
    BagWriter(tmp_path / "run", list(synthetic.topics())).close()
    with pytest.raises(BagError, match="holds no timestep that could be read on '/timestep'"):
        read_run(tmp_path / "run")


def test_the_synthetic_run_has_what_it_should(made: synthetic.Made) -> None:
    assert {type(record) for _, record in made.records} >= {Timestep, Verdict, Learning}


@pytest.mark.parametrize(("apart_ns", "said"), [(1000, False), (200_000_000, True)])
def test_ticks_that_a_late_recorder_was_given_in_another_order_are_put_in_theirs(
        tmp_path: Path, apart_ns: int, said: bool) -> None:
    came = [0, *range(2, 7), 1, *range(7, 60)]
    with BagWriter(tmp_path / "run", list(synthetic.topics())) as writer:
        for place, tick in enumerate(came):
            at_ns = 10**9 + place * apart_ns + max(0, tick - 6) * 10**9
            writer.write("/timestep", synthetic.cdr_of(step(tick)), at_ns)
    run = read_run(tmp_path / "run")
    assert [each.tick for each in run.records.timesteps] == list(range(60))
    assert any("clock was set back" in line for line in run.warnings) == said
    assert run.records.duration_s == pytest.approx(53.0 if not said else 0.6, rel=0.2)
