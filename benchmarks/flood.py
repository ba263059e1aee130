"""What floods of one topic cost a running graph: ticks without an action while somebody publishes.

Each run settles, then a stranger publishes on one topic for some seconds, as fast as it is told and
can; the bag says which ticks went without an action meanwhile. The accelerator is emulated.

    python benchmarks/flood.py --topics action timestep observation --rate 5000
    python benchmarks/flood.py --topics none timestep --rate 10000 --kind forged --seconds 8
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from realtime_rl import strict_json
from realtime_rl.bench.live import START_S, LiveBench, measure
from realtime_rl.core.enumerations import Fate, Miss, Reason
from realtime_rl.core.errors import RealtimeRlError
from realtime_rl.core.messages import joy_wire
from realtime_rl.core.messages.records import ActionMessage, Command, Inference, Timestep, Verdict
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace, Cause

TOPICS = ("none", "action", "timestep", "observation", "command", "inference", "verdict", "policy")
KINDS = ("garbage", "forged")
"""Messages of the right type that nobody can read; messages that could be true."""
_SETTLE_S = 8.0
_BURST = 10
"""Messages that are sent at once: sleeping takes longer than sending one."""
_COUNTER = ActionSpace(("A", "B", "NOOP"), (2.0,))
_SPEC = ObservationSpec((1, 84, 84), "uint8", 0.0, 255.0)


def main() -> int:
    """Run the floods, one graph each, and print what each cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--topics", nargs="+", choices=TOPICS, metavar="TOPIC",
                        default=["none", "action", "timestep", "observation"],
                        help=f"any of {', '.join(TOPICS)}")
    parser.add_argument("--rate", type=float, default=5000.0, metavar="HZ",
                        help="messages a second that are asked for (default: %(default)g)")
    parser.add_argument("--kind", choices=KINDS, default="garbage")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="S",
                        help="how long each flood lasts (default: %(default)g)")
    parser.add_argument("--workers", default="7", metavar="N")
    parser.add_argument("--latency", default="constant:95ms", metavar="SPEC")
    parser.add_argument("--flood", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.flood:
        return _flood(args.flood, args.kind, args.rate, args.seconds)
    try:
        for topic in args.topics:
            print(strict_json.dumps(_run(topic, args)), flush=True)
    except RealtimeRlError as error:
        print(f"flood: {error}", file=sys.stderr)
        return 2
    return 0


def _run(topic: str, args: argparse.Namespace) -> dict[str, Any]:
    """Run one graph, flood it, and count."""
    floods: list[subprocess.Popen[str]] = []
    began: list[int] = []

    def disturb(elapsed_s: float, pids: dict[str, int]) -> None:
        del pids
        if elapsed_s >= START_S + _SETTLE_S and not began:
            began.append(time.time_ns())
            if topic != "none":
                floods.append(subprocess.Popen(
                    [sys.executable, __file__, "--flood", topic, "--kind", args.kind, "--rate",
                     str(args.rate), "--seconds", str(args.seconds)],
                    stdout=subprocess.PIPE, text=True))

    said: list[str] = []
    # some seconds for the stranger to start, and one to see what is left of it
    measured = measure(
        LiveBench(workers=args.workers, latency=args.latency, settle_s=_SETTLE_S,
                  duration_s=args.seconds + 4.0), lambda elapsed_s: None, said.append, disturb)
    flooded = json.loads(floods[0].communicate()[0]) if floods else {}
    records = measured.report.run.records
    begin_ns = flooded.get("begin_ns", began[0])
    end_ns = flooded.get("end_ns", begin_ns + round(args.seconds * 1e9))
    steps = [step for step in records.timesteps if begin_ns <= step.stamp_ns < end_ns]
    before = [step for step in records.timesteps
              if begin_ns - 3_000_000_000 <= step.stamp_ns < begin_ns]
    return {"topic": topic, "kind": args.kind, "sent_hz": flooded.get("sent_hz", 0),
            "ticks": len(steps), "without_an_action": sum(step.missing for step in steps),
            "missed_by_the_plant": sum(step.missed for step in steps),
            "before": sum(step.missing for step in before) / max(1, len(before)),
            "stolen_percent": measured.used.stolen_percent, "said": said[:5]}


def _flood(topic: str, kind: str, rate_hz: float, seconds: float) -> int:
    """Be the stranger."""
    import rclpy
    from rclpy.serialization import serialize_message

    from realtime_rl.ros import qos

    rclpy.init()
    node = rclpy.create_node("stranger")
    message_type, make = _messages(topic, kind)
    publisher = node.create_publisher(message_type, topic, qos.RECORD)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    ready = [serialize_message(make(number)) for number in range(64)]
    begin_ns, begin_s, sent = time.time_ns(), time.monotonic(), 0
    while (elapsed_s := time.monotonic() - begin_s) < seconds:
        if sent >= elapsed_s * rate_hz:
            time.sleep(0.0005)
            continue
        for _ in range(_BURST):
            publisher.publish(ready[sent % len(ready)])
            sent += 1
    print(strict_json.dumps({"begin_ns": begin_ns, "end_ns": time.time_ns(),
                      "sent_hz": round(sent / seconds)}))
    node.destroy_node()
    rclpy.shutdown()
    return 0


def _messages(topic: str, kind: str) -> tuple[type, Any]:
    """The type of a topic, and how to make its message number `n`."""
    import numpy as np
    from sensor_msgs.msg import Image, JointState, Joy
    from std_msgs.msg import String

    from realtime_rl.ros import messages

    forged, now_ns = kind == "forged", time.time_ns()
    if topic == "observation":
        pixels = np.zeros(_SPEC.shape, np.uint8)
        return Image, lambda n: messages.to_observation(
            pixels, _SPEC, now_ns + n, f"tick={n + 700} first=0" if forged else "nobody")
    if topic in ("action", "command"):
        return Joy, lambda n: messages.to_joy(joy_wire.encode_action(ActionMessage(
            now_ns + n, n + 700, n + 706, n % 7, 1, 1, (0.0,)), _COUNTER)) if forged else Joy()
    if topic == "policy":
        return String, lambda n: String(data=f"file:///nowhere/{n}.onnx")
    records: dict[str, Any] = {
        "timestep": lambda n: Timestep.latching(
            Command(Cause.DEFAULT, (0.0,)), stamp_ns=now_ns + n, tick=n + 700,
            period_ns=16_742_706, plant="counter"),
        "inference": lambda n: Inference(
            now_ns, n + 700, n + 706, n % 7, 1, 0, 0.0, 10.0, 10.0, Miss.NONE, False, float("nan"),
            "inference_0", "cpu", ""),
        "verdict": lambda n: Verdict(
            now_ns, Fate.APPLIED, Reason.NONE, n + 700, n + 694, 6, n % 7, 0, 1, 9.0, 0.1)}
    return JointState, (lambda n: messages.to_scalars(records[topic](n))) if forged else (
        lambda n: JointState(name=["x"], position=[float(n)]))


if __name__ == "__main__":
    sys.exit(main())
