from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import synthetic
import yaml
from growth import check_bounded
from handmade import step
from mcap.reader import make_reader
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader

from realtime_rl.bags import writer
from realtime_rl.bags.metadata import OfferedQos
from realtime_rl.bags.reader import read_run
from realtime_rl.bags.writer import BagWriter, TopicInfo
from realtime_rl.core.errors import BagError

TIMESTEP = TopicInfo("/timestep", "sensor_msgs/msg/JointState", OfferedQos(1000))
POLICY = TopicInfo("/policy", "std_msgs/String", OfferedQos(1, transient_local=True))


def one_bag(folder: Path) -> Path:
    with BagWriter(folder, [TIMESTEP]) as bag:
        bag.write("/timestep", synthetic.cdr_of(step(0)), 100)
        bag.add_topic(POLICY)
        bag.write("/policy", synthetic.cdr_of("file:///a.onnx"), 250)
        bag.write("/timestep", synthetic.cdr_of(step(1)), 300)
    return folder


def test_rosbags_reads_it(tmp_path: Path) -> None:
    with Reader(one_bag(tmp_path / "run")) as reader:
        assert (reader.start_time, reader.end_time, reader.duration) == (100, 301, 201)
        found = [(c.topic, c.msgtype, time, data) for c, time, data in reader.messages()]
        assert [entry[:3] for entry in found] == [
            ("/timestep", "sensor_msgs/msg/JointState", 100),
            ("/policy", "std_msgs/msg/String", 250),
            ("/timestep", "sensor_msgs/msg/JointState", 300)]
        assert found[0][3] == synthetic.cdr_of(step(0))


def test_the_offered_qos_is_recorded(tmp_path: Path) -> None:
    with Reader(one_bag(tmp_path / "run")) as reader:
        offered = {c.topic: c.ext.offered_qos_profiles[0] for c in reader.connections}
    assert offered["/timestep"].depth == 1000
    assert offered["/timestep"].reliability is QosReliability.RELIABLE
    assert offered["/timestep"].durability is QosDurability.VOLATILE
    assert offered["/policy"].durability is QosDurability.TRANSIENT_LOCAL


def test_the_file_alone_describes_its_messages(tmp_path: Path) -> None:
    with (one_bag(tmp_path / "run") / "run_0.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        embedded = {record.name: record.metadata for record in reader.iter_metadata()}
        assert reader.get_header().profile == "ros2"
    assert summary is not None
    schema = next(s for s in summary.schemas.values() if s.name == "sensor_msgs/msg/JointState")
    assert schema.encoding == "ros2msg"
    assert b"MSG: std_msgs/Header" in schema.data
    channel = next(c for c in summary.channels.values() if c.topic == "/timestep")
    assert channel.message_encoding == "cdr"
    assert "reliability: reliable" in channel.metadata["offered_qos_profiles"]
    assert channel.metadata["topic_type_hash"].startswith("RIHS01_")
    assert "storage_identifier: mcap" in embedded["rosbag2"]["serialized_metadata"]


def test_metadata_is_rosbag2s(tmp_path: Path) -> None:
    folder = one_bag(tmp_path / "run")
    text = (folder / "metadata.yaml").read_text()
    assert "&" not in text and "*" not in text
    found = yaml.safe_load(text)["rosbag2_bagfile_information"]
    assert found["version"] == 9
    assert found["relative_file_paths"] == ["run_0.mcap"]
    assert found["message_count"] == 3
    assert found["files"][0]["message_count"] == 3
    assert {t["topic_metadata"]["name"]: t["message_count"]
            for t in found["topics_with_message_count"]} == {"/timestep": 2, "/policy": 1}
    assert sorted(os.listdir(folder)) == ["metadata.yaml", "run_0.mcap"]


@pytest.fixture
def short_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of three chunks, of which their beginning is one, of the first file two."""
    monkeypatch.setattr(writer, "_CHUNKS", 3)


def long_bag(folder: Path, ticks: int = 9) -> BagWriter:
    """Flush after each tick; the policy is recorded from the fourth on."""
    bag = BagWriter(folder, [TIMESTEP])
    for tick in range(ticks):
        bag.write("/timestep", synthetic.cdr_of(step(tick)), 100 * tick)
        if tick == 4:
            bag.add_topic(POLICY)
            bag.write("/policy", synthetic.cdr_of("file:///a.onnx"), 450)
        bag.flush()
    return bag


@pytest.mark.usefixtures("short_files")
def test_a_long_recording_is_of_several_files(tmp_path: Path) -> None:
    long_bag(tmp_path / "run").close()
    names = [f"run_{number}.mcap" for number in range(5)]
    assert sorted(os.listdir(tmp_path / "run")) == ["metadata.yaml", *names]
    with Reader(tmp_path / "run") as reader:
        assert (reader.message_count, reader.start_time, reader.end_time) == (10, 0, 801)
        assert [(c.topic, time) for c, time, _ in reader.messages()] == [
            *(("/timestep", 100 * tick) for tick in range(5)), ("/policy", 450),
            *(("/timestep", 100 * tick) for tick in range(5, 9))]
    found = yaml.safe_load((tmp_path / "run" / "metadata.yaml").read_text())[
        "rosbag2_bagfile_information"]
    assert found["relative_file_paths"] == names
    assert [file["message_count"] for file in found["files"]] == [1, 2, 3, 2, 2]
    run = read_run(tmp_path / "run")
    assert ([each.tick for each in run.records.timesteps], run.recovered) == (list(range(9)), False)


@pytest.mark.usefixtures("short_files")
def test_each_of_them_can_be_read_alone(tmp_path: Path) -> None:
    long_bag(tmp_path / "run").close()
    with (tmp_path / "run" / "run_2.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert [message.log_time for _, _, message in reader.iter_messages()] == [300, 400, 450]


@pytest.mark.usefixtures("short_files")
def test_of_a_long_recording_that_was_killed_all_that_was_flushed_is_there(tmp_path: Path) -> None:
    bag = long_bag(tmp_path / "run", 8)
    bag.write("/timestep", synthetic.cdr_of(step(8)), 800)
    del bag  # never closed
    run = read_run(tmp_path / "run")
    assert [each.tick for each in run.records.timesteps] == list(range(8))
    assert run.recovered


@pytest.mark.usefixtures("short_files")
def test_a_disk_that_takes_no_further_file_leaves_those_before(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    bag = long_bag(tmp_path / "run", 3)
    monkeypatch.setattr(writer, "McapFile", full)
    with pytest.raises(BagError, match="cannot be written: No space left"):
        bag.write("/timestep", synthetic.cdr_of(step(3)), 300)
    with pytest.raises(BagError, match="is closed"):
        bag.write("/timestep", synthetic.cdr_of(step(4)), 400)
    bag.close()
    run = read_run(tmp_path / "run")
    assert ([each.tick for each in run.records.timesteps], run.recovered) == ([0, 1, 2], False)


def test_ten_days_of_a_recording_fill_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                ) -> None:
    """What is written stays on the disk: a thousandth of ten days, with files as much shorter."""
    monkeypatch.setattr(writer, "_CHUNKS", 10)
    monkeypatch.setattr(os, "fdatasync", lambda handle: None)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    bag = BagWriter(tmp_path / "run", [TIMESTEP])

    def second(number: int) -> None:
        bag.write("/timestep", b"", number * 1_000_000_000)
        bag.flush()

    # one name a file, of which there are a hundred in ten days
    check_bounded(bag, second, 864, bounds={"._recorded.files": 864 // 9 + 1,
                                            "._recorded.files[].path": 10 * 864})


def test_an_empty_bag_is_a_bag(tmp_path: Path) -> None:
    BagWriter(tmp_path / "run", [TIMESTEP]).close()
    with Reader(tmp_path / "run") as reader:
        assert reader.message_count == 0


def test_the_folder_must_not_exist(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="exists already"):
        BagWriter(tmp_path, [TIMESTEP])
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "run", Path("/proc/none/run")):
        with pytest.raises(BagError, match="cannot be created") as caught:
            BagWriter(place, [TIMESTEP])
        assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["file"]


def test_an_unknown_type_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(BagError, match="'my_msgs/Thing' is not known"):
        BagWriter(tmp_path / "new" / "run", [TIMESTEP, TopicInfo("/x", "my_msgs/Thing")])
    assert os.listdir(tmp_path) == []


def test_a_full_disk_at_the_start_leaves_nothing_behind(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdatasync", full)
    with pytest.raises(BagError, match="No space left"):
        BagWriter(tmp_path / "new" / "run", [TIMESTEP])
    assert os.listdir(tmp_path) == []


def test_misuse_is_one_clear_line(tmp_path: Path) -> None:
    bag = BagWriter(tmp_path / "run", [TIMESTEP])
    with pytest.raises(BagError, match="'/verdict' is not recorded; recorded: '/timestep'"):
        bag.write("/verdict", b"", 0)
    with pytest.raises(BagError, match="'/timestep' is recorded already"):
        bag.add_topic(TIMESTEP)
    bag.close()
    bag.close()
    bag.flush()
    with pytest.raises(BagError, match="is closed"):
        bag.write("/timestep", b"", 0)


def test_what_was_flushed_survives_sigkill(tmp_path: Path) -> None:
    script = ("import sys, synthetic\nfrom pathlib import Path\nfrom handmade import step\n"
              "from realtime_rl.bags.writer import BagWriter\n"
              "bag = BagWriter(Path(sys.argv[1]), list(synthetic.topics()))\n"
              "for t in range(100): bag.write('/timestep', synthetic.cdr_of(step(t)), t)\n"
              "bag.flush()\n"
              "for t in range(100, 150): bag.write('/timestep', synthetic.cdr_of(step(t)), t)\n"
              "print('flushed', flush=True)\nsys.stdin.read()\n")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "run")],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          env={**os.environ, "PYTHONPATH": path}) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == b"flushed\n"
        recorder.send_signal(signal.SIGKILL)
    run = read_run(tmp_path / "run")
    assert [s.tick for s in run.records.timesteps] == list(range(100))
    assert run.recovered


FULL_DISK = """
import resource, sys, synthetic
from pathlib import Path
from handmade import step
from realtime_rl.bags.writer import BagWriter
from realtime_rl.core.errors import BagError
bag = BagWriter(Path(sys.argv[1]), list(synthetic.topics()))
limit, most = int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    for tick in range(most):
        bag.write("/timestep", synthetic.cdr_of(step(tick)), tick + 1)
        if tick % 50 == 49:
            bag.flush()
except BagError as error:
    print("while running:", error)
try:
    bag.close()
except BagError as error:
    print("at the end:", error)
"""


@pytest.mark.parametrize(("limit", "most"), [(8_000, 100_000), (20_000, 100_000), (10_000, 90)])
def test_a_disk_that_fills_up_is_told_and_what_was_flushed_stays(
        tmp_path: Path, limit: int, most: int) -> None:
    """While messages are written, or not before index and metadata are: every call that fails."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "run"), str(limit), str(most)],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path})
    told = [line.split(":")[0] for line in done.stdout.splitlines()]
    assert told == ["while running", "at the end"][most < 1_000:]
    assert all("cannot be written: File too large" in line for line in done.stdout.splitlines())
    ticks = [s.tick for s in read_run(tmp_path / "run").records.timesteps]
    assert ticks == list(range(len(ticks)))
    assert len(ticks) >= 50
