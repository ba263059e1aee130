"""The command line where only what setup.py requires is installed: as a robot may have it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HIDE = """
import importlib.machinery, sys

class Finder(importlib.machinery.PathFinder):
    hidden = set(sys.argv.pop(1).split(","))

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in cls.hidden
        return None if hidden else super().find_spec(name, path, target)

sys.meta_path[:] = [Finder if each is importlib.machinery.PathFinder else each
                    for each in sys.meta_path]
from realtime_rl.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
EXTRAS = ("ale_py", "cv2", "gymnasium", "hypothesis", "matplotlib", "mcap", "mujoco", "onnx",
          "onnxruntime", "pyboy", "pytest", "rclpy", "rosbags", "safetensors", "torch")
VERBS = ("run", "report", "simulate", "train", "plan", "bench", "plants", "export", "robot",
         "doctor")


def without_extras(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", HIDE, ",".join(EXTRAS), *arguments],
                          capture_output=True, text=True, check=False)


ROOT = Path(__file__).parents[2]
POLICY = str(ROOT / "policies" / "catch.onnx")


@pytest.mark.parametrize("arguments", [
    ("simulate", "--plant", "counter", "--policy", "random", "--episodes", "2"),
    ("plan", "--latency", "constant:95ms"),
    ("bench", "scaling", "--latencies", "2"),
    ("plants",),
    ("doctor",),
    *((verb, "--help") for verb in VERBS),
])
def test_what_needs_no_extra_works(arguments: tuple[str, ...]) -> None:
    done = without_extras(*arguments)
    assert done.returncode == (1 if arguments == ("doctor",) else 0), done.stderr
    assert done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("arguments", "module", "extra"), [
    (("robot", "check", "contract.yaml"), "rclpy", "ros"),
    (("robot", "init"), "rclpy", "ros"),
    (("simulate", "--plant", "pyboy", "--policy", "random"), "pyboy", "plants"),
    (("simulate", "--plant", "mujoco", "--policy", "random"), "mujoco", "mujoco"),
    (("simulate", "--plant", "counter", "--policy", POLICY), "onnxruntime", "cpu"),
    (("train", "--plant", "counter", "--ticks", "9", "--out", "out"), "torch", "learn"),
    (("export", "--plant", "counter", "out.onnx"), "torch", "learn"),
    (("report", "bag"), "rosbags", "bags"),
    (("bench", "stagger", "--workers", "1", "--latency", "none"), "rosbags", "bags"),
])
def test_what_is_missing_is_one_line(arguments: tuple[str, ...], module: str, extra: str) -> None:
    done = without_extras(*arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"realtime-rl {arguments[0]}: error: {module} is not installed; "
        f"fix: pip install '.[{extra}]' in the clone")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("hidden", "arguments"), [
    ("rosbags", ()), ("mcap", ()), ("matplotlib", ("--html", "report.html"))])
def test_what_a_recording_needs_is_known_before_the_robot_moves(
    hidden: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    for needed in ("rclpy", "onnxruntime"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", HIDE, hidden, "run", "--config", str(ROOT / "config/so101.yaml"),
         "--set", f"scenario.policy={ROOT / 'policies/so101_reach.onnx'}", "--record", "bag",
         *arguments], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (f"realtime-rl run: error: {hidden} is not installed; "
                                            "fix: pip install '.[bags]' in the clone")


def test_a_contract_needs_ros_alone() -> None:
    """No plant's library, no torch, no policy's runtime: a robot's own computer may check it."""
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    hidden = ",".join(each for each in EXTRAS if each != "rclpy")
    done = subprocess.run([sys.executable, "-c", HIDE, hidden, "robot", "check", "absent.yaml"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        "realtime-rl robot: error: absent.yaml: cannot be read")
