from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.robot_sim import check_log, commanded
from examples.robot_sim.errors import SimulatorError
from examples.robot_sim.log import Log, read

PERIOD_S = 0.02
TOPIC = "commands"


def write(path: Path, times: list[float], values: list[float], *, faults: tuple[float, ...] = (),
          measured: float = 0.0, name: str = "j") -> Path:
    """A log of one joint, or of one velocity of a twist."""
    log = Log(path)
    log.write("robot", 0, joints=["j"], rate_hz=500.0, commands=[TOPIC])
    rows = [(0.0, "state", {"position": [measured]})]
    rows += [(t, "command", {"topic": TOPIC, "names": [name], "values": [value], "stamp": None,
                             "problem": ""}) for t, value in zip(times, values, strict=True)]
    rows += [(t, "fault", {"fault": "mark=x", "begins": True}) for t in faults]
    for t, kind, fields in sorted(rows, key=lambda row: row[0]):
        log.write(kind, round(t * 1e9), **fields)
    log.close()
    return path


def grid(count: int, begin: float = 1.0) -> list[float]:
    return [begin + PERIOD_S * index for index in range(count)]


def test_the_largest_step_velocity_and_acceleration(tmp_path: Path) -> None:
    path = write(tmp_path / "log", grid(5), [0.0, 0.0, 0.01, 0.03, 0.03])
    joint = check_log.check(path, PERIOD_S, {}, 1e-6)["topics"][TOPIC]["joints"]["j"]
    assert joint == pytest.approx({
        "low": 0.0, "high": 0.03, "step": 0.02, "velocity": 1.0, "acceleration": 50.0})


def test_a_message_that_comes_early_or_late_is_no_faster(tmp_path: Path) -> None:
    times = np.add(grid(6), [0, 0.004, -0.006, 0.005, 0, -0.008]).tolist()
    values = [0.02 * index for index in range(6)]
    path = write(tmp_path / "log", times, values)
    joint = check_log.check(path, PERIOD_S, {}, 1e-6)["topics"][TOPIC]["joints"]["j"]
    assert joint["velocity"] == pytest.approx(1.0)


@given(st.lists(st.floats(0.0, 0.4), min_size=2, max_size=40))
def test_when_commands_come_makes_them_no_faster(waits: list[float]) -> None:
    times, values = np.cumsum(waits).tolist(), [[0.01 * (index % 3)] for index in range(len(waits))]
    even, uneven = (commanded.figures(given, commanded.taken_up(given, [], ["j"]).anew, PERIOD_S)
                    for given in (commanded.Commands(("j",), grid(len(waits)), values),
                                  commanded.Commands(("j",), times, values)))
    assert even == uneven


def test_what_goes_on_after_a_silence_is_not_taken_up_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [1.0, 1.02, 2.0, 2.02], [0.0, 0.01, 0.02, 0.03], measured=-0.1)
    limits = {"j": {"max_velocity": 0.5, "max_acceleration": 25.0}}
    found = check_log.check(path, PERIOD_S, limits, 1e-6)["topics"][TOPIC]
    assert (found["beyond"], found["anew"]) == ([], None)


def test_a_command_that_makes_up_for_others_is_a_jump(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [1.0, 1.02, 1.12], [0.0, 0.0, 0.1])
    joint = check_log.check(path, PERIOD_S, {}, 1e-6)["topics"][TOPIC]["joints"]["j"]
    assert (joint["step"], joint["velocity"]) == pytest.approx((0.1, 5.0))


@pytest.mark.parametrize(("measured", "beyond"), [(0.08, []), (0.05, [
    "j: taken up anew 0.05 from where it was measured"])])
def test_after_a_long_silence_it_may_be_taken_up_where_it_is(
        tmp_path: Path, measured: float, beyond: list[str]) -> None:
    path = write(tmp_path / "log", [1.0, 1.02, 2.0, 2.02], [0.0, 0.0, 0.1, 0.1], measured=measured)
    limits = {"j": {"max_velocity": 1.5, "max_acceleration": 6.0, "max_step": 0.01}}
    found = check_log.check(path, PERIOD_S, limits, 1e-6)["topics"][TOPIC]
    assert found["beyond"] == beyond
    assert found["anew"] == pytest.approx(0.1 - measured)


@pytest.mark.parametrize(("limit", "beyond"), [
    ("j.max_velocity=1.0", False), ("j.max_velocity=0.99", True), ("j.max_step=0.019", True),
    ("j.min_position=0.0", False), ("j.min_position=0.001", True), ("j.max_position=0.02", True),
    ("j.max_acceleration=49", True), ("j.max_acceleration=50", False), ("k.max_step=0.0", False),
])
def test_what_is_beyond_a_limit_fails(tmp_path: Path, limit: str, beyond: bool,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "log", grid(5), [0.0, 0.0, 0.01, 0.03, 0.03])
    status = check_log.main([str(path), "--period", str(PERIOD_S), "--limit", limit])
    assert status == int(beyond)
    assert ("BEYOND j" in capsys.readouterr().out) == beyond


def test_limits_are_read_from_a_contract(tmp_path: Path) -> None:
    contract = tmp_path / "arm.yaml"
    contract.write_text("robot: {ros__parameters: {limits: {policy: clamp, "
                        "j1: {max_velocity: 1.5, min_position: -2}}}}", encoding="utf-8")
    assert check_log.read_limits(contract, ["j1.max_step=0.1"]) == {
        "j1": {"max_velocity": 1.5, "min_position": -2.0, "max_step": 0.1}}


@pytest.mark.parametrize(("limits", "status"), [
    ("max_velocity: 0.5, max_acceleration: 10.0", 0), ("max_velocity: 0.49", 1),
    ("max_acceleration: 9.9", 1)])
def test_a_twists_values_are_velocities_under_the_contracts_names(tmp_path: Path, limits: str,
                                                                  status: int) -> None:
    contract = tmp_path / "base.yaml"
    contract.write_text(f"robot: {{ros__parameters: {{limits: {{wz: {{{limits}}}}}}}}}",
                        encoding="utf-8")
    path = write(tmp_path / "log", grid(5), [0.0, -0.2, -0.4, -0.5, -0.5], name="angular.z")
    assert check_log.main([str(path), "--period", str(PERIOD_S), "--limits", str(contract)]) \
        == status


def test_that_limits_are_of_something_else_is_said(tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "log", grid(5), [0.0] * 5)
    assert check_log.main([str(path), "--period", "0.02", "--limit", "k.max_step=0.0"]) == 0
    assert "no limits are given for j" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "robot: 3", "robot: {ros__parameters: {}}", "a: ["])
def test_a_contract_without_limits_is_refused(tmp_path: Path, text: str) -> None:
    contract = tmp_path / "arm.yaml"
    contract.write_text(text, encoding="utf-8")
    with pytest.raises(SimulatorError, match="limits"):
        check_log.read_limits(contract, [])


def test_the_first_hold_is_compared_with_what_was_measured(tmp_path: Path) -> None:
    path = write(tmp_path / "log", grid(6), [0.5, 0.5, 0.5005, 0.51, 0.52, 0.53], measured=0.501)
    hold = check_log.check(path, PERIOD_S, {}, 1e-6)["topics"][TOPIC]["hold"]
    assert hold == pytest.approx({"commands": 3, "seconds": 0.04, "from_measured": 0.001})


def test_what_follows_a_fault(tmp_path: Path) -> None:
    values = [0.01 * min(index, 30) for index in range(60)]  # moves until 1.6 s, comes until 2.18
    path = write(tmp_path / "log", [*grid(60), 3.0], [*values, 0.3], faults=(1.49,))
    event, = check_log.check(path, PERIOD_S, {}, 1e-6)["topics"][TOPIC]["events"]
    assert (event["what"], event["commands"]) == ("mark=x begins", 36)
    assert event["settled_s"] == pytest.approx(0.11)
    assert event["silent_s"] == pytest.approx(0.82)
    assert event["velocity"] == pytest.approx(0.5)


def test_ignored_commands_are_counted_apart(tmp_path: Path) -> None:
    path = write(tmp_path / "log", grid(3), [0.0, 0.0, 0.0])
    line = {"kind": "command", "t": 2.0, "topic": TOPIC, "names": ["j"], "values": [9.0],
            "stamp": None, "problem": "on the way home"}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n" + '{"kind": "sta')  # and one that was cut off
    found = check_log.check(path, PERIOD_S, {}, 1e-6)["topics"][TOPIC]
    assert (found["commands"], found["ignored"]) == (3, {"on the way home": 1})


@pytest.mark.parametrize("text", ["", "words\n", "[]\n", '{"kind": "state", "t": 0}\n'])
def test_what_is_no_log_is_refused_in_a_line(tmp_path: Path, text: str,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8")
    assert check_log.main([str(path), "--period", "0.02"]) == 2
    assert capsys.readouterr().err.startswith("check_log: log ")


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [1.0], [0.1234567890123])
    assert [record["kind"] for record in read(path)] == ["robot", "state", "command"]
    assert list(read(path))[-1]["values"] == [0.1234567890123]
