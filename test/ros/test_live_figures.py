"""What a person at the live view is told of a monitor that is heard, and of one that is not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from in_process import ros, wait
from sensor_msgs.msg import Image

from realtime_rl.core.figures.health import Health, Level
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.nodes.monitor import MonitorNode
from realtime_rl.ros import live, messages, qos
from realtime_rl.ros.live import LiveFigures


def test_figures_of_this_graph_and_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic_ns=lambda: now[0]))
    with ros() as make:
        figures = LiveFigures("robot1")
        try:
            assert (figures.newest, figures.waiting) == ([], "waiting for the monitor …")
            now[0] = 6_000_000_000
            assert figures.waiting.startswith(
                "nothing heard of the monitor for 6 s: nobody publishes it in ROS domain ")
            monitor = make("monitor")
            publisher = monitor.create_publisher(DiagnosticArray, "/diagnostics", 10)

            def say(robot: str) -> None:
                publisher.publish(DiagnosticArray(status=[DiagnosticStatus(
                    level=b"\x01", name=f"{robot}/realtime_rl: plant", message="late",
                    hardware_id=robot, values=[KeyValue(key="rate", value=robot)])]))

            def heard() -> bool:
                say("robot2")
                say("robot1")
                return bool(figures.newest)

            wait(monitor, heard)
            assert (figures.newest, figures.waiting) == (
                [Health("plant", Level.WARN, "late", {"rate": "robot1"})], "")
            now[0] += 7_000_000_000
            assert figures.waiting == ("nothing heard of the monitor for 7 s: '/monitor' offers "
                                       "it, and nothing comes")
        finally:
            figures.close()


def test_the_newest_picture_is_decoded_when_it_is_looked_at() -> None:
    part = ObservationSpec((3, 4, 6), "uint8", 0, 255)
    sent = np.arange(72, dtype=np.uint8).reshape(part.shape)
    with ros() as make:
        figures = LiveFigures("robot1")
        try:
            assert figures.picture is None
            figures.watch("/robot1/observation", part)
            plant = make("plant")
            publisher = plant.create_publisher(Image, "/robot1/observation", qos.RECORD)

            def show(kind: ObservationSpec, picture: np.ndarray) -> None:
                publisher.publish(messages.to_observation(picture, kind, 1, "plant=toy"))

            def seen() -> bool:
                show(part, sent)
                return figures.picture is not None

            wait(plant, seen)
            np.testing.assert_array_equal(figures.picture, sent)

            def strange() -> bool:
                show(ObservationSpec((1, 4, 6), "uint8", 0, 255), sent[:1])
                return figures.picture is None

            wait(plant, strange)
        finally:
            figures.close()


@pytest.mark.parametrize(("words", "name", "hardware"), [
    ((), "realtime_rl: plant", "realtime_rl"),
    (("-r", "__ns:=/fleet/robot1"), "fleet/robot1/realtime_rl: plant", "fleet/robot1")])
def test_each_robots_status_has_a_name_of_its_own(words: tuple[str, ...], name: str, hardware: str
                                                  ) -> None:
    with ros(*words):
        monitor = MonitorNode()
        status = monitor._status(Health("plant", Level.OK, "on its grid", {}))
        monitor.destroy_node()
    assert (status.name, status.hardware_id) == (name, hardware)
