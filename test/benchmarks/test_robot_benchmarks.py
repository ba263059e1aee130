"""What the benchmarks of robots make of logs, bags, and of what `robot check` says."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("rosbags", reason="rosbags is not installed")

from benchmarks import robot_mistakes, three_robots


@pytest.mark.parametrize(("received", "sent", "found"), [
    ([1, 2, 3], [1, 2, 3], (0, 0, 0)), ([1, 2, 3], [2, 3], (1, 0, 0)),
    ([1, 2, 3, 4], [2, 3], (2, 0, 0)), ([1, 2, 3], [1, 2], (1, 0, 0)),
    ([1, 9, 2], [1, 2], (0, 1, 0)), ([1], [1, 2], (0, 0, 1)), ([2, 1], [1, 2], (0, 0, 0))])
def test_commands_that_were_received_are_compared_with_those_that_were_sent(
    received: list[float], sent: list[float], found: tuple[int, int, int]
) -> None:
    assert three_robots.differences([(each,) for each in received],
                                    [(each,) for each in sent]) == found


def test_topics_of_others_are_found() -> None:
    assert three_robots.foreign_topics(["/left/odom", "/leftmost/odom", "/odom"], "left") == [
        "/leftmost/odom", "/odom"]


@pytest.mark.parametrize(("status", "places", "wrong"), [
    (1, ["action.arm.names"], ""), (0, [], "status 0, not 1; it says [], not"),
    (1, ["action.arm.names", "period"], "it says ['action.arm.names', 'period'], not"),
    (2, [], "status 2, not 1")])
def test_a_mistake_is_to_be_said_alone(status: int, places: list[str], wrong: str) -> None:
    mistake = robot_mistakes.MISTAKES["swapped-order"]
    found = robot_mistakes.judged("swapped-order", mistake, status, [
        {"level": "wrong", "where": place, "text": "so"} for place in places], ())
    assert found.wrong.startswith(wrong) and bool(found.wrong) == bool(wrong)


def test_a_contract_is_changed_by_paths() -> None:
    content = {"robot": {"ros__parameters": {"source": {"scan": {"topic": "scan"}}}}}
    changed = robot_mistakes.changed(content, {"source.scan.topic": "laser"})
    assert changed["robot"]["ros__parameters"]["source"]["scan"]["topic"] == "laser"
