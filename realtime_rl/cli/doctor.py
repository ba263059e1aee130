"""`realtime-rl doctor`: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import locale
import os
import platform
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise

from realtime_rl import strict_json
from realtime_rl.core.errors import RealtimeRlError, installing
from realtime_rl.ros import environment, memory_limit, transport
from realtime_rl.ros.graph import MEMORY_VARIABLE

_EPILOG = """examples:
  realtime-rl doctor
  realtime-rl doctor --json
"""
_CLOCK_SAMPLES = 200
_MARKS = {True: "ok", False: "MISSING", None: "absent"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool | None
    """`None`: absent, and not needed for everything."""
    found: str
    remedy: str = ""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "doctor", help="what is installed and what is missing", description=__doc__,
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Print the findings; status 1 when something that every run needs is missing."""
    findings = examine()
    if args.json:
        print(strict_json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.ok]:8} {finding.name:20} {finding.found}")
            if finding.remedy:
                print(f"{'':8} {'':20} fix: {finding.remedy}")
    return 1 if any(finding.ok is False for finding in findings) else 0


def examine() -> list[Finding]:
    """Look at everything that a run can need."""
    looks: tuple[Callable[[], list[Finding]], ...] = (
        _ros, _environment, _onnxruntime, _libraries, _training, _roms, _machine)
    return [finding for look in looks for finding in look()]


def _ros() -> list[Finding]:
    findings = [_library("rclpy", "ros", needed=True)]
    if findings[0].ok:
        try:
            from realtime_rl.ros.runtime import middleware

            findings.append(Finding("RMW", True, middleware()))
        except Exception as error:  # whatever the middleware raises is the finding
            findings.append(Finding("RMW", False, str(error).splitlines()[0],
                                    installing("ros")))
    distro = os.environ.get("ROS_DISTRO", "")
    findings.append(Finding("ROS installation", True if distro else None,
                            distro or "none: the pip wheels are used"))
    for program, what in (("ros2", "ros2 launch, ros2 bag"),):
        path = shutil.which(program)
        findings.append(Finding(program, True if path else None,
                                path or f"no {what}: realtime-rl run and the recorder do that",
                                "" if path else "source /opt/ros/jazzy/setup.bash"))
    return findings


def _environment() -> list[Finding]:
    """What the environment makes of ROS 2; see `ros/environment.py`."""
    problems = environment.problems(os.environ)
    domain = os.environ.get(environment.DOMAIN) or "0"
    trouble = environment.log_trouble(os.environ)
    findings = [
        *(Finding("environment", False, *problem.split("; ", 1)) for problem in problems),
        Finding("ROS domain", True, domain),
        Finding("reached from", True, transport.reach(os.environ)),
        Finding("ROS logs", True,
                f"{trouble}: they go to a temporary folder" if trouble
                else str(environment.log_folder(os.environ)),
                f"name a folder with {environment.LOGS}" if trouble else "")]
    encoding = locale.getpreferredencoding(do_setlocale=False)
    said = encoding.replace("-", "").lower() in ("utf8", "utf_8")
    findings.append(Finding("locale", True, encoding if said else
                            f"{encoding}: what it cannot say is spelt out as \\u03b5; files are "
                            "UTF-8 all the same", "" if said else "export LC_ALL=C.UTF-8"))
    return [*findings, *_memory()]


def _memory() -> list[Finding]:
    try:
        limits = {name: memory_limit.limit_mib(name) for name in
                  ("plant", "inference", "actuator", "learner")}
    except RealtimeRlError:
        return []  # told already
    shown = ", ".join(f"{name} {limit or 'all there is'}" for name, limit in limits.items())
    return [Finding("memory of a node", True, f"at most {shown} MiB ({MEMORY_VARIABLE})")]


def _onnxruntime() -> list[Finding]:
    found = _library("onnxruntime", "cpu", needed=True)
    if not found.ok:
        return [found]
    both = {name for name in ("onnxruntime", "onnxruntime-gpu") if _version(name)}
    if len(both) > 1:
        return [Finding("onnxruntime", False, "two that overwrite each other: onnxruntime and "
                        "onnxruntime-gpu", "pip uninstall onnxruntime onnxruntime-gpu; "
                        + installing("gpu"))]
    import onnxruntime

    providers = onnxruntime.get_available_providers()
    gpu = any(name in providers for name in
              ("CUDAExecutionProvider", "TensorrtExecutionProvider"))
    return [found, Finding("execution providers", True, ", ".join(providers)),
            Finding("GPU inference", True if gpu else None,
                    "available" if gpu else "none: policies run on the CPU",
                    "" if gpu else f"pip uninstall onnxruntime; {installing('gpu')}"),
            Finding("GPU", True if shutil.which("nvidia-smi") else None,
                    shutil.which("nvidia-smi") or "no nvidia-smi")]


def _libraries() -> list[Finding]:
    return [_library(module, extra) for module, extra in (
        ("pyboy", "plants"), ("cv2", "plants"), ("gymnasium", "gym"), ("ale_py", "gym"),
        ("mujoco", "mujoco"),
        ("torch", "learn"), ("onnx", "learn"),
        ("safetensors", "learn"), ("rosbags", "bags"), ("mcap", "bags"), ("matplotlib", "bags"),
        ("minari", "datasets"), ("pyarrow", "datasets"))]


def _training() -> list[Finding]:
    try:
        from realtime_rl.learning import devices
    except ImportError:
        return []
    gpu = devices.gpu()
    return [Finding("GPU training", True if gpu else None,
                    gpu or f"none: learners train on the CPU ({devices.reason()})")]


def _roms() -> list[Finding]:
    from realtime_rl.plants import rom_files

    findings = []
    for name in rom_files.bundled():
        try:
            found = rom_files.find(name)
            findings.append(Finding(f"ROM {name}", True, f"{found.path.name}, SHA-256 is right"))
        except RealtimeRlError as error:
            findings.append(Finding(f"ROM {name}", False, str(error),
                                    "pip install --force-reinstall --no-deps . in the clone"))
    return findings


def _machine() -> list[Finding]:
    cores = len(os.sched_getaffinity(0))
    steps = [time.monotonic_ns() for _ in range(_CLOCK_SAMPLES)]
    finest = min((b - a for a, b in pairwise(steps) if b > a), default=0)
    info = time.get_clock_info("monotonic")
    allowed = os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_RTPRIO)[0] > 0
    return [Finding("realtime priority", True if allowed else None,
                    "SCHED_FIFO is allowed" if allowed else "not allowed: ticks come less evenly "
                    "on a busy machine",
                    "" if allowed else "add '@realtime - rtprio 98' to /etc/security/limits.conf, "
                    "and yourself to the group realtime"),
            Finding("machine", True, f"{platform.system()} {platform.machine()}, Python "
                    f"{platform.python_version()}, {cores} cores"),
            Finding("monotonic clock", finest < 1_000_000,
                    f"{info.implementation}, steps of {finest} ns")]


def _library(module: str, extra: str, *, needed: bool = False) -> Finding:
    if importlib.util.find_spec(module) is None:
        return Finding(module, False if needed else None, "not installed",
                       installing(extra))
    owners = importlib.metadata.packages_distributions().get(module, [])
    return Finding(module, True, _version(owners[0]) if owners else "installed")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
