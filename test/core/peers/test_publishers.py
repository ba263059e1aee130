"""Who publishes on a topic that is not theirs is named, once."""

from __future__ import annotations

from realtime_rl.core.peers.publishers import UNKNOWN, Publisher, PublisherWatch

S = 1_000_000_000
PLANT, INFERENCE = "/plant", "/inference_0"
EXPECTED = {"timestep": [PLANT], "action": [INFERENCE, "/inference_1"]}


def publishers(*nodes: str) -> list[Publisher]:
    """One of each node, told apart by their place."""
    return [Publisher(node, bytes([index] * 16)) for index, node in enumerate(nodes)]


def watch() -> PublisherWatch:
    return PublisherWatch(EXPECTED, of_anybody=["timestep"])


def test_those_who_belong_there_are_not_named() -> None:
    found = watch()
    for second in range(100):
        assert found.look("action", publishers(INFERENCE, "/inference_1"), second * S) == []
        assert found.look("timestep", publishers(PLANT), second * S) == []
        assert found.look("timestep", [], second * S) == []


def test_a_stranger_is_named_once_for_each_topic() -> None:
    found = watch()
    [line] = found.look("action", publishers(INFERENCE, "/talker"), 0)
    assert "action: node '/talker'" in line
    assert "/inference_0 and /inference_1 alone" in line
    assert found.look("action", publishers(INFERENCE, "/talker"), S) == []
    assert len(found.look("timestep", publishers(PLANT, "/talker"), S)) == 1
    assert len(found.look("action", publishers("/talker"), 2 * S)) == 1  # another of that name
    assert found.look("action", [], 3 * S) == []
    assert len(found.look("action", publishers("/talker"), 4 * S)) == 1  # it came again


def test_a_node_of_the_same_name_in_another_namespace_is_a_stranger() -> None:
    assert len(watch().look("action", publishers(INFERENCE, "/other/inference_1"), 0)) == 1


def test_a_robot_of_another_name_is_none_as_long_as_it_is_alone() -> None:
    found = watch()
    assert found.look("timestep", publishers("/my_robot"), 0) == []
    assert len(found.look("timestep", publishers("/my_robot", PLANT), S)) == 1
    assert len(found.look("action", publishers("/my_policy"), S)) == 1


def test_a_node_that_was_started_again_has_a_namesake_for_a_while() -> None:
    found = watch()
    twice = publishers(PLANT, PLANT)
    assert [found.look("timestep", twice, second * S) for second in range(20)] == [[]] * 20
    assert found.look("timestep", twice[1:], 20 * S) == []
    assert found.look("timestep", twice, 31 * S) == []  # that is the next one


def test_two_graphs_of_one_name_are_named() -> None:
    found = watch()
    twice = publishers(PLANT, PLANT)
    lines = [found.look("timestep", twice, second * S) for second in range(40)]
    assert [bool(line) for line in lines] == [False] * 30 + [True] + [False] * 9
    assert len(lines[30]) == 2


def test_who_has_no_name_yet_is_waited_for() -> None:
    found = watch()
    one = publishers(INFERENCE, f"/{UNKNOWN}")
    assert found.look("action", one, 0) == []
    assert "somebody without a name" in found.look("action", one, 30 * S)[0]
