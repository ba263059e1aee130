"""Nodes talk over sockets, and only as far as the user lets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from nodes.live_graph import private_domain

from realtime_rl.ros import transport
from realtime_rl.ros.transport import node_environment, reach

PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"
PROFILES_OF_3 = "FASTDDS_DEFAULT_PROFILES_FILE"


@pytest.fixture(autouse=True)
def _wheels_of_jazzy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed where the tests run: where no distribution is sourced, Fast DDS 2."""
    monkeypatch.setattr(transport, "_has_wheel_of_3", lambda: False)


@pytest.mark.parametrize("asked", ["LOCALHOST", "SUBNET"])
def test_the_middleware_that_is_here_takes_its_profile(asked: str) -> None:
    """It says what it does not know, and goes on without the whole file."""
    of_others = ("ROS_LOCALHOST_ONLY", "FASTDDS_BUILTIN_TRANSPORTS", PROFILES, PROFILES_OF_3)
    done = subprocess.run(
        [sys.executable, "-c", "from realtime_rl.ros import environment; environment.adopt()\n"
         "import rclpy; rclpy.init(); rclpy.create_node('reader').destroy_node()\n"
         "rclpy.try_shutdown()"],
        env={**{name: value for name, value in os.environ.items() if name not in of_others},
             "ROS_AUTOMATIC_DISCOVERY_RANGE": asked, "ROS_DOMAIN_ID": private_domain()},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize("asked", ["SUBNET", "subnet", "SYSTEM_DEFAULT"])
def test_who_asks_for_the_network_gets_it_without_shared_memory(asked: str) -> None:
    said = {"ROS_AUTOMATIC_DISCOVERY_RANGE": asked}
    added = node_environment(said)
    assert added.pop("FASTDDS_BUILTIN_TRANSPORTS") == "UDPv4"
    assert {Path(profile).name for profile in added.values()} == {"fastdds_network.xml"}
    assert reach(said) == (
        f"every machine in the network (ROS_AUTOMATIC_DISCOVERY_RANGE={asked.upper()}): any of "
        "them can command the plant")


@pytest.mark.parametrize("said", [{}, {"ROS_AUTOMATIC_DISCOVERY_RANGE": ""},
                                  {"ROS_LOCALHOST_ONLY": "0"}, {"ROS_DOMAIN_ID": "7"},
                                  {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
                                  {"ROS_AUTOMATIC_DISCOVERY_RANGE": "localhost"},
                                  {"ROS_LOCALHOST_ONLY": "1"}])
def test_on_this_machine_only_means_a_socket_on_the_loopback_only(said: dict[str, str]) -> None:
    added = node_environment(said)
    in_force = {**said, **added}  # LOCALHOST would make rmw_fastrtps add shared memory
    assert in_force["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"
    assert in_force.get("ROS_LOCALHOST_ONLY", "0") == "0"
    tree = ElementTree.parse(Path(added[PROFILES]))
    text = {element.tag.rpartition("}")[2]: (element.text or "").strip()
            for element in tree.iter()}
    assert text["type"] == "UDPv4"
    assert text["useBuiltinTransports"] == "false"
    addresses = [element.text for element in tree.iter() if element.tag.endswith("}address")]
    assert addresses == ["127.0.0.1"] * 3  # where it listens, is told of others, looks for them
    assert text["count"] == "40"
    assert reach(said) == reach(in_force)
    assert reach(in_force).startswith("this machine alone; ")
    assert node_environment(in_force) == {}  # nothing more is needed


@pytest.mark.parametrize(("asked", "heartbeat_s", "announcement_s"), [
    ("LOCALHOST", 0.05, 0.25), ("SUBNET", 0.05, 0.25)])
def test_who_joins_late_waits_for_no_timer_of_seconds(
        asked: str, heartbeat_s: float, announcement_s: float) -> None:
    """A reader learns what it missed from heartbeats, 256 messages each; the default is 3 s."""
    added = node_environment({"ROS_AUTOMATIC_DISCOVERY_RANGE": asked})
    tree = ElementTree.parse(Path(added[PROFILES]))
    namespace = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
    seconds = {
        name: sum(float(element.findtext(f"{namespace}{part}", "0")) * scale
                  for part, scale in (("sec", 1.0), ("nanosec", 1e-9)))
        for name in ("heartbeatPeriod", "leaseAnnouncement")
        for element in tree.iter(f"{namespace}{name}")}
    assert seconds == {"heartbeatPeriod": heartbeat_s, "leaseAnnouncement": announcement_s}
    writer, = tree.iter(f"{namespace}data_writer")
    assert writer.get("is_default_profile") == "true"


@pytest.mark.parametrize("said", [
    {PROFILES: "mine.xml"}, {"ROS_DISTRO": "jazzy", PROFILES: "mine.xml"},
    {"ROS_DISTRO": "kilted", PROFILES: "mine.xml"},
    {"ROS_DISTRO": "kilted", PROFILES_OF_3: "mine.xml"},
    {"FASTDDS_BUILTIN_TRANSPORTS": "DEFAULT"}, {"ROS_STATIC_PEERS": "10.0.0.2"},
    {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}])
def test_what_the_user_chose_stays(said: dict[str, str]) -> None:
    assert node_environment({**said, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}) == {}


@pytest.mark.parametrize("said", [
    {"FASTDDS_BUILTIN_TRANSPORTS": "DEFAULT"}, {"ROS_STATIC_PEERS": "10.0.0.2"},
    {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}])
def test_nothing_reaches_further_because_something_else_was_chosen(said: dict[str, str]) -> None:
    assert node_environment(said) == {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    assert "its sockets listen to the whole network" in reach(said)


def test_who_else_may_come_in_is_said() -> None:
    assert reach({PROFILES: "mine.xml"}) == "whoever mine.xml lets in"
    assert "ROS_STATIC_PEERS=10.0.0.2" in reach({"ROS_STATIC_PEERS": "10.0.0.2"})
    assert "ROS_STATIC_PEERS=10.0.0.2" in reach({
        "ROS_STATIC_PEERS": "10.0.0.2", "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"})


def test_a_profile_of_another_copy_of_this_package_is_ours(tmp_path: Path) -> None:
    """A node that runs in a clone imports it from there, its runner from where it is installed."""
    network = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    chosen = node_environment(network)
    (name,) = (key for key in chosen if key.endswith("PROFILES_FILE"))
    other = tmp_path / Path(chosen[name]).name
    assert "whoever" in reach({**network, name: str(other)})  # it is not there
    other.write_bytes(Path(chosen[name]).read_bytes())
    assert reach({**network, name: str(other)}) == reach(network)
    other.write_text("<profiles/>", encoding="utf-8")  # the same name says nothing
    assert reach({**network, name: str(other)}) == f"whoever {other} lets in"


def test_the_other_implementation_of_fast_dds_is_the_same() -> None:
    assert node_environment({"RMW_IMPLEMENTATION": "rmw_fastrtps_dynamic_cpp"}) == (
        node_environment({}))


def test_a_profile_that_this_fast_dds_does_not_read_keeps_nobody_out() -> None:
    assert reach({"ROS_DISTRO": "jazzy", PROFILES_OF_3: "mine.xml"}).startswith(
        "this machine alone")
    assert reach({"ROS_DISTRO": "kilted", PROFILES_OF_3: "mine.xml"}) == "whoever mine.xml lets in"


@pytest.mark.parametrize("asked", ["LOCALHOST", "SUBNET"])
def test_each_fast_dds_gets_the_same_profile_in_its_own_words(asked: str) -> None:
    """Version 3 ignores a whole file for one unknown name, and warns of the old variable."""
    added = [node_environment({"ROS_AUTOMATIC_DISCOVERY_RANGE": asked, "ROS_DISTRO": distro})
             for distro in ("jazzy", "kilted", "rolling")]
    assert [{*each} & {PROFILES, PROFILES_OF_3} for each in added] == [
        {PROFILES}, {PROFILES_OF_3}, {PROFILES_OF_3}]
    two, three = added[0][PROFILES], added[1][PROFILES_OF_3]
    assert added[2][PROFILES_OF_3] == three
    assert words(two) == [
        ("heartbeatPeriod" if name == "heartbeat_period" else name, *more)
        for name, *more in words(three)]
    assert "heartbeat_period" in [name for name, *_ in words(three)]


def words(profile: str) -> list[tuple[str, str, dict[str, str]]]:
    """The elements of a file, each with its text and attributes."""
    return [(element.tag.rpartition("}")[2], (element.text or "").strip(), element.attrib)
            for element in ElementTree.parse(profile).iter()]
