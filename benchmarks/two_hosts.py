"""Plant and actuator on one host, inference on another whose clock is off.

The hosts are network namespaces of this machine that share nothing but a cable (a veth pair); one
run clock is put off. Needs root and iproute2. The accelerator is emulated.

    sudo python benchmarks/two_hosts.py --workers 16 --latency lognormal:215ms,cv=0.05 --off 0.05
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from realtime_rl.bags.report import make_report, to_json, to_text
from realtime_rl.core.errors import BagError
from realtime_rl.ros.graph import parameter_file
from realtime_rl.ros.run_clock import CLOCK_VARIABLE
from realtime_rl.ros.transport import node_environment
from realtime_rl.runner.prepare import prepare

_ROBOT, _SERVER = "rtrl-robot", "rtrl-server"
_CARRIER_S = 10.0
_ON_ROBOT = "plant,actuator,recorder"
_ON_SERVER = "inference,coordinator"
_CONFIG = """
scenario: {{ros__parameters: {{workers: {workers}, learner: false, policy: "{policy}"}}}}
plant: {{ros__parameters: {{name: counter, options: ["observation=image", "period_ms=16.742706"]}}}}
inference: {{ros__parameters: {{latency: "{latency}"}}}}
actuator: {{ros__parameters: {{deadline_margin: 0.012}}}}
recorder: {{ros__parameters: {{observations: false}}}}
"""


def main() -> int:
    """Lay the cable, start both halves of the graph, account for the robot's bag."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=16, metavar="N")
    parser.add_argument("--latency", default="lognormal:215ms,cv=0.05", metavar="SPEC")
    parser.add_argument("--off", type=float, default=0.05, metavar="S",
                        help="the server's clock is ahead by so much (default: %(default)s)")
    parser.add_argument("--duration", type=float, default=60.0, metavar="S")
    parser.add_argument("--settle", type=float, default=10.0, metavar="S")
    parser.add_argument("--json", action="store_true", help="print the report's JSON")
    parser.add_argument("--server", metavar="CONFIG", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.server:
        return _serve(args.server, args.off)
    if shutil.which("ip") is None or os.geteuid() != 0:
        print("two_hosts: it lays a cable between two network namespaces: run it as root, with "
              "iproute2 installed", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="realtime_rl-hosts-") as name:
        folder = Path(name)
        policy = folder / "policy.onnx"
        subprocess.run(
            ["realtime-rl", "export", "--plant", "counter", "--plant-option", "observation=image",
             "--network", "mlp", str(policy)], check=True, stdout=subprocess.DEVNULL)
        config = folder / "scenario.yaml"
        config.write_text(_CONFIG.format(workers=args.workers, latency=args.latency,
                                         policy=policy), encoding="utf-8")
        try:
            try:
                _lay_cable()
                _run(args, config, folder / "bag")
            finally:
                _take_cable_away()
            report = make_report(folder / "bag", skip_s=args.settle)
        except (BagError, OSError, subprocess.CalledProcessError) as error:
            print(f"two_hosts: {error}", file=sys.stderr)
            return 1
    print(to_json(report.figures) if args.json else to_text(report), end="")
    if not report.figures["interaction"]["policy_ticks"]:
        print("two_hosts: no action came from the other host", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace, config: Path, bag: Path) -> None:
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"}
    run = ["realtime-rl", "run", "--no-live", "--config", str(config)]
    server = subprocess.Popen(
        ["ip", "netns", "exec", _SERVER, sys.executable, __file__, "--server", str(config),
         "--off", str(args.off)], env=environment, stdout=sys.stderr)
    time.sleep(3.0)
    try:
        subprocess.run(
            ["ip", "netns", "exec", _ROBOT, *run, "--duration",
             str(args.duration + args.settle + 3.0), "--record", str(bag),
             "--set", f"scenario.nodes={_ON_ROBOT}"],
            env=environment, check=False, stdout=sys.stderr)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def _serve(config: str, off_s: float) -> int:
    """The server's half, by a clock that is off, until it is interrupted."""
    with tempfile.TemporaryDirectory(prefix="realtime_rl-server-") as name:
        prepared = prepare(config, [f"scenario.nodes={_ON_SERVER}", f"scenario.run_dir={name}"])
        ahead = str(time.time_ns() - time.monotonic_ns() + round(off_s * 1e9))
        nodes = []
        for node in prepared.nodes:
            file = Path(name) / f"{node.name}.yaml"
            file.write_text(parameter_file(node), encoding="utf-8")
            nodes.append(subprocess.Popen(
                [sys.executable, "-m", f"realtime_rl.nodes.{node.executable}",
                 "--ros-args", "-r", f"__node:={node.name}", "--params-file", str(file)],
                env={**os.environ, **node_environment(os.environ), CLOCK_VARIABLE: ahead}))
        try:
            signal.pause()
        except KeyboardInterrupt:
            return 0
        finally:
            for process in nodes:
                process.send_signal(signal.SIGTERM)
            for process in nodes:
                process.wait(timeout=20)
    return 0


def _lay_cable() -> None:
    for name in (_ROBOT, _SERVER):
        _ip(f"netns add {name}")
        _ip(f"-n {name} link set lo up")
    _ip(f"link add rtrl-a netns {_ROBOT} type veth peer name rtrl-b netns {_SERVER}")
    for name, link, address in ((_ROBOT, "rtrl-a", "10.99.0.1/24"),
                                (_SERVER, "rtrl-b", "10.99.0.2/24")):
        _ip(f"-n {name} address add {address} dev {link}")
        _ip(f"-n {name} link set {link} up")
    # the middleware passes over an interface that has no carrier yet, for good
    deadline_s = time.monotonic() + _CARRIER_S
    while not (_has_carrier(_ROBOT, "rtrl-a") and _has_carrier(_SERVER, "rtrl-b")):
        if time.monotonic() > deadline_s:
            raise OSError("the cable between the namespaces has no carrier")
        time.sleep(0.05)


def _has_carrier(name: str, link: str) -> bool:
    told = subprocess.run(["ip", "-n", name, "-brief", "link", "show", link], check=True,
                          capture_output=True, text=True).stdout
    return told.split()[1] == "UP"


def _take_cable_away() -> None:
    for name in (_ROBOT, _SERVER):
        subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)


def _ip(words: str) -> None:
    subprocess.run(["ip", *words.split()], check=True)


if __name__ == "__main__":
    sys.exit(main())
