"""A policy that its nodes could not use is refused before they start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from policies.tiny_policies import BUTTONS, VECTOR, model, uri, written

from realtime_rl.core.errors import PolicyError, RealtimeRlError
from realtime_rl.core.settings.config import Value, values_of
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.ros.graph import NodeSpec
from realtime_rl.runner import last_checks as module
from realtime_rl.runner.policy_trial import tried
from realtime_rl.runner.prepare import prepare

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def node(policy: str, **changes: Value) -> NodeSpec:
    """Return an inference node for `VECTOR` and `BUTTONS`, told what every node is."""
    config = InferenceParameters(policy=policy, observation=str(VECTOR), actions=str(BUTTONS))
    return NodeSpec("inference", "inference_0", "",
                    {**values_of(config), "use_sim_time": False, **changes}, respawn=True)


def problem(*nodes: NodeSpec) -> str:
    with pytest.raises(PolicyError) as caught, tried(nodes):
        pass
    return str(caught.value)


def test_what_fits_passes_and_stays_as_it_is(tmp_path: Path) -> None:
    meanwhile = []
    path = written(tmp_path, 0)
    with tried([node(uri(path)), node(uri(path), process=1, processes=2), node("")]):
        meanwhile.append("looked for a second graph")
    assert meanwhile and list(tmp_path.iterdir()) == [path]


def test_where_no_node_has_a_policy_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("subprocess.Popen")
    plant = NodeSpec("plant", "plant", "", {"name": "counter"}, respawn=True)
    with tried([plant, node("")]):
        pass


@pytest.mark.parametrize(("changes", "said"), [
    ({"stack": 2}, "takes a stack of 1 observations, its metadata say; stack is set to 2"),
    ({"observation": "float32[4] -1:1"}, "takes observations 'float32[3] -1:1', the plant gives"),
    ({"actions": "A B = A"}, "gives actions 'A B NOOP = NOOP', the plant takes 'A B = A'"),
    ({"policy_size_limit": 1e-9}, "raise policy_size_limit")])
def test_one_line_says_what_does_not_fit(
        tmp_path: Path, changes: dict[str, Value], said: str) -> None:
    path = written(tmp_path, 0)
    line = problem(node(uri(path)), node(uri(path), **changes))
    assert line.startswith(f"policy {str(path)!r}") and "\n" not in line
    assert said in line


def test_what_only_running_it_tells_is_told_as_well(tmp_path: Path) -> None:
    broken = written(tmp_path, 0, model(VECTOR, 1, np.full((3, 3), np.nan)))
    assert "gives non-finite outputs" in problem(node(uri(broken)))


def test_what_was_refused_meanwhile_goes_before_it(tmp_path: Path) -> None:
    with pytest.raises(RealtimeRlError, match="another graph"), \
            tried([node(uri(written(tmp_path, 0)), stack=7)]):
        raise RealtimeRlError("another graph")


def test_a_run_is_refused_before_its_nodes_start(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, config = written(tmp_path, 0), tmp_path / "scenario.yaml"
    config.write_text("plant: {ros__parameters: {name: counter, options: [observation=vector]}}")
    prepared = prepare(str(config), ["scenario.learner=false", f"scenario.policy={path}"])
    monkeypatch.setattr(module, "refuse_second", lambda prepared: [])
    with pytest.raises(PolicyError, match="gives actions 'A B NOOP = NOOP', the plant takes '"):
        module.check_last(prepared)
