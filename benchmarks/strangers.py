"""Somebody on the domain who is no part of the graph: floods a topic, announces a policy.

    python -m benchmarks.strangers flood action --seconds 4 --rate 5000
    python -m benchmarks.strangers announce runs/policies/policy-000001.onnx
    python -m benchmarks.strangers announce-hung runs/policies/policy-000099.onnx
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import rclpy
from onnx import TensorProto, helper, numpy_helper
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from sensor_msgs.msg import Image, JointState, Joy
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from benchmarks.running import ROOT
from realtime_rl.core.messages import joy_wire, wire
from realtime_rl.core.messages.policy_metadata import PREFIX
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.messages.records import ActionMessage, Command, Timestep
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.types import ActionSpace, Cause
from realtime_rl.ros import messages, qos

_ACTIONS = ActionSpace.parse("LEFT RIGHT NOOP = NOOP")
_PICTURE = ObservationSpec.parse("uint8[1,84,84] 0:255")
_HEARD_S = 10.0
_ANSWERED_S = 2.0
_STRANGER = 99
HUNG_VERSION = 99


def action(number: int) -> Joy:
    """A well-formed one of a worker that the graph does not have."""
    return messages.to_joy(joy_wire.encode_action(ActionMessage(
        time.time_ns(), number, -1, _STRANGER, _STRANGER, 0, (0.0,)), _ACTIONS))


def timestep(number: int) -> JointState:
    """A well-formed one of another plant."""
    return messages.to_scalars(Timestep.latching(
        Command(Cause.NONE, (2.0,)), stamp_ns=time.time_ns(), tick=number, period_ns=16_742_706,
        plant="stranger"))


def observation(number: int) -> Image:
    """A well-formed one of another plant."""
    return messages.to_observation(
        np.zeros(_PICTURE.shape, np.uint8), _PICTURE, time.time_ns(),
        wire.encode_words({"plant": "stranger", "tick": number, "first": 0}))


_FLOODS: dict[str, tuple[type, Callable[[int], Any]]] = {
    "action": (Joy, action), "timestep": (JointState, timestep),
    "observation": (Image, observation)}


def flood(topic: str, seconds: float, rate: float) -> int:
    """Publish well-formed messages as fast as asked for; return how many."""
    os.nice(10)  # it comes from another machine: this one's cores are not meant to be the limit
    kind, make = _FLOODS[topic]
    publisher = rclpy.create_node("stranger").create_publisher(kind, topic, qos.RECORD)
    _until_heard(publisher)
    begin_s, count = time.monotonic(), 0
    while (elapsed_s := time.monotonic() - begin_s) < seconds:
        while count < elapsed_s * rate:
            publisher.publish(make(count))
            count += 1
        time.sleep(0.001)
    return count


def announce_hung(path: Path) -> None:
    """Write a policy whose inference takes for ever, and announce it."""
    onnx.save(hung(onnx.load(ROOT / "policies" / "catch.onnx")), path)
    announce(path)


def announce(path: Path) -> None:
    """Announce a policy, as a learner would."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    publisher = rclpy.create_node("stranger").create_publisher(String, "policy", qos.LATCHED)
    _until_heard(publisher)
    publisher.publish(String(data=str(PolicyUri(path.resolve(), digest))))
    time.sleep(2.0)  # a reliable message may have to be sent again


def hung(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let a policy count to 2⁶³ - 1 before it answers, and call it a new version."""
    graph = model.graph
    output, kind = graph.output[0].name, graph.output[0].type.tensor_type.elem_type
    for node in graph.node:
        node.output[:] = ["answer" if name == output else name for name in node.output]
    body = helper.make_graph(
        [helper.make_node("Identity", ["condition"], ["condition_out"]),
         helper.make_node("Identity", ["value"], ["value_out"])], "body",
        [helper.make_tensor_value_info("iteration", TensorProto.INT64, []),
         helper.make_tensor_value_info("condition", TensorProto.BOOL, []),
         helper.make_tensor_value_info("value", kind, [])],
        [helper.make_tensor_value_info("condition_out", TensorProto.BOOL, []),
         helper.make_tensor_value_info("value_out", kind, [])])
    graph.initializer.extend([
        numpy_helper.from_array(np.array(2**63 - 1), "for_ever"),
        numpy_helper.from_array(np.array(True), "always"),
        numpy_helper.from_array(np.array(0.0, helper.tensor_dtype_to_np_dtype(kind)), "nothing")])
    graph.node.extend([
        helper.make_node("Loop", ["for_ever", "always", "nothing"], ["counted"], body=body),
        helper.make_node("Add", ["answer", "counted"], [output])])
    for entry in model.metadata_props:
        if entry.key == f"{PREFIX}version":
            entry.value = str(HUNG_VERSION)
    return model


def hand() -> None:
    """Do what the lines of the standard input say, and answer each with a line.

    `say TOPIC TEXT` publishes a text, `call SERVICE` and `call SERVICE true` ask a service, `set
    NODE PARAMETER TEXT` sets a parameter; the answer is empty where it succeeded.
    """
    node = rclpy.create_node("hand")
    publishers: dict[str, Any] = {}
    clients: dict[str, Any] = {}
    for line in sys.stdin:
        verb, name, *rest = line.split(maxsplit=2)
        if verb == "set":
            print(_set(node, name, *rest[0].split()), flush=True)
            continue
        if verb == "say":
            if name not in publishers:
                publishers[name] = node.create_publisher(String, name, 10)
                _until_heard(publishers[name])
            publishers[name].publish(String(data=rest[0].strip()))
            print(flush=True)
            continue
        kind = SetBool if rest else Trigger
        client = clients.setdefault(name, node.create_client(kind, name))
        request = SetBool.Request(data=rest[0].strip() == "true") if rest else Trigger.Request()
        answer = None
        if client.wait_for_service(_HEARD_S):
            future = client.call_async(request)
            rclpy.spin_until_future_complete(node, future, timeout_sec=_ANSWERED_S)
            answer = future.result() if future.done() else None
        print("no answer" if answer is None else "" if answer.success else answer.message,
              flush=True)


def _set(node: Node, name: str, parameter: str, text: str) -> str:
    """Return why a node's parameter was not set; empty: it was."""
    client = AsyncParameterClient(node, name)
    if not client.wait_for_services(_HEARD_S):
        return "no answer"
    future = client.set_parameters([Parameter(parameter, value=text)])
    rclpy.spin_until_future_complete(node, future, timeout_sec=_ANSWERED_S)
    (result,) = future.result().results if future.done() else (None,)
    return "no answer" if result is None else "" if result.successful else result.reason


def _until_heard(publisher: Any) -> None:
    deadline_s = time.monotonic() + _HEARD_S
    while not publisher.get_subscription_count():
        if time.monotonic() > deadline_s:
            raise TimeoutError("nobody listens")
        time.sleep(0.05)
    time.sleep(0.5)  # the others, too


def main() -> int:
    """Do one thing and end."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    flooding = verbs.add_parser("flood")
    flooding.add_argument("topic", choices=_FLOODS)
    flooding.add_argument("--seconds", type=float, default=4.0)
    flooding.add_argument("--rate", type=float, default=5000.0, help="messages a second")
    for name in ("announce", "announce-hung"):
        verbs.add_parser(name).add_argument("path", type=Path)
    verbs.add_parser("hand")
    args = parser.parse_args()
    rclpy.init()
    try:
        if args.verb == "flood":
            count = flood(args.topic, args.seconds, args.rate)
            print(f"{count} messages of {args.topic} in {args.seconds:g} s")
        elif args.verb == "hand":
            hand()
        else:
            (announce if args.verb == "announce" else announce_hung)(args.path)
    except TimeoutError as error:
        print(f"strangers: {error}", file=sys.stderr)
        return 1
    finally:
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
