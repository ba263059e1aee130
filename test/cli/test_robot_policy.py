"""How `robot check` says that a policy is fed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
from contracts import CAMERA, arm

from policies import tiny_policies
from realtime_rl.cli.robot import fed
from realtime_rl.cli.robot_findings import Level
from realtime_rl.core.observations import ObservationSpec
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.types import ActionSpace


def policy(folder: Path, state: ObservationSpec, actions: ActionSpace) -> str:
    """A file of a policy that takes and gives these."""
    proto = tiny_policies.model(state, 1, np.zeros((state.shape[0], actions.size)))
    about = tiny_policies.metadata(observation=state, stack=1, actions=actions, outputs="action")
    for key, value in about.to_props().items():
        proto.metadata_props.add(key=key, value=value)
    path = folder / "policy.onnx"
    path.write_bytes(proto.SerializeToString())
    return str(path)


def test_each_input_is_said(tmp_path: Path) -> None:
    contract = arm(source__cam=CAMERA, observations=["state", "front"],
                   observation__front={"sources": ["cam"]})
    (state, _) = contract.observation.parts
    found = fed(contract, policy(tmp_path, state, contract.spec.actions))
    assert [each.level for each in found] == [Level.OK, Level.NOTE, Level.OK]
    assert found[0].text == ("input 'x' [3] is part 'state=float32[3] -10:10 "
                             "position.j1,position.j2,velocity.j1' as float32")
    assert found[1].text == "it does not look at 'front'"
    assert found[2].text.startswith("gives 'j1:-2:2 j2:-2:2 = 0 0', ")


SWAPPED = ("position.j2", "position.j1", "velocity.j1")


@pytest.mark.parametrize(("elements", "low", "said"), [
    (SWAPPED, -2.0, "it takes observations .*position.j2,position.j1.*the plant gives "
                    ".*position.j1,position.j2"),
    ((), -1.0, "it gives actions 'j1:-1:2 .*the plant takes 'j1:-2:2"),
])
def test_a_policy_of_another_order_or_range_is_wrong(tmp_path: Path, elements: tuple[str, ...],
                                                     low: float, said: str) -> None:
    contract: Contract = arm()
    state = replace(contract.observation.parts[0], elements=elements)
    actions = replace(contract.spec.actions, low=(low, -2.0))
    (found,) = fed(contract, policy(tmp_path, state, actions))
    assert found.level is Level.WRONG
    assert re.search(said, found.text)
