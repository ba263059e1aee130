"""Policy files of the shapes that other makers' exporters write, each made by a small script.

The networks are untrained: what matters is names, types, shapes and metadata.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from benchmarks.foreign_env import JOINTS, SIDE
from realtime_rl.core.messages.policy_metadata import PREFIX
from realtime_rl.core.policy.options import PolicyOptions

Plant = tuple[str, dict[str, object]]
CARTPOLE: Plant = ("gymnasium", {"id": "CartPole-v1"})
PENDULUM: Plant = ("gymnasium", {"id": "Pendulum-v1"})
COUNTER: Plant = ("counter", {"observation": "vector"})
PICTURE: Plant = ("counter", {"observation": "image"})
ARM: Plant = ("gymnasium", {"id": "benchmarks.foreign_env:Arm-v0", "colour": "true",
                            "size": str(SIDE)})
ROWS = 50


@dataclass(frozen=True)
class Foreign:
    """One file, the plant that suits it, and what comes of it."""

    make: Callable[[Path], Path]
    plant: Plant
    options: PolicyOptions = field(default_factory=PolicyOptions)
    refused: str = ""
    """Words of the refusal; empty: it acts."""
    workers: int = 4


class Net(nn.Module):
    """A network whose forward pass is a function of its layers."""

    def __init__(self, forward: Callable[..., Any], **layers: nn.Module) -> None:
        """Keep the layers; the function gets them as `net.name`."""
        super().__init__()
        torch.manual_seed(0)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self._function = forward

    def forward(self, *inputs: Tensor) -> Any:
        """Compute."""
        return self._function(self, *inputs)


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    """Two layers."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def export(path: Path, network: nn.Module, inputs: Mapping[str, Tensor], outputs: Sequence[str],
           props: Mapping[str, str] | None = None, *, open_batch: bool = False) -> Path:
    """Write a file as `torch.onnx.export` does, with metadata."""
    axes = {name: {0: "batch"} for name in (*inputs, *outputs)} if open_batch else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network.eval(), tuple(inputs.values()), str(path), dynamo=False,
                          input_names=list(inputs), output_names=list(outputs), dynamic_axes=axes)
    if props:
        model = onnx.load(str(path))
        for key, value in props.items():
            model.metadata_props.add(key=key, value=value)
        onnx.save(model, str(path))
    return path


def sb3_ppo(folder: Path) -> Path:
    """Stable-Baselines3's `OnnxableSB3Policy`: action, value and log-probability; a choice."""
    def forward(net: Any, seen: Tensor) -> tuple[Tensor, ...]:
        logits = net.actor(seen)
        return (logits.argmax(dim=1), net.critic(seen), logits.log_softmax(dim=1).amax(dim=1))
    return export(folder / "sb3_ppo.onnx", Net(forward, actor=mlp(4, 2), critic=mlp(4, 1)),
                  {"input": torch.zeros(1, 4)}, ["action", "value", "log_prob"], open_batch=True)


def sb3_sac(folder: Path) -> Path:
    """SAC's actor as it is: mean and logarithm of the deviation."""
    def forward(net: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        return net.mu(seen), net.log_std(seen).clamp(-20, 2)
    return export(folder / "sb3_sac.onnx", Net(forward, mu=mlp(3, 1), log_std=mlp(3, 1)),
                  {"obs": torch.zeros(1, 3)}, ["mean", "log_std"], open_batch=True)


def sac_in_one(folder: Path) -> Path:
    """Mean and logarithm of the deviation one after another in one output."""
    return export(folder / "sac_in_one.onnx", mlp(3, 2), {"obs": torch.zeros(1, 3)}, ["out"])


def cleanrl_dqn(folder: Path) -> Path:
    """CleanRL's Q network."""
    return export(folder / "cleanrl_dqn.onnx", mlp(4, 2), {"x": torch.zeros(1, 4)}, ["q_values"])


def isaac_mlp(folder: Path) -> Path:
    """Isaac Lab's `export_policy_as_onnx` of rsl_rl."""
    return export(folder / "isaac_mlp.onnx", mlp(3, 1), {"obs": torch.zeros(1, 3)}, ["actions"])


def isaac_lstm(folder: Path) -> Path:
    """The same of a recurrent policy."""
    def forward(net: Any, seen: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, ...]:
        out, (hidden, cell) = net.rnn(seen.unsqueeze(0), (hidden, cell))
        return net.actor(out.squeeze(0)), hidden, cell
    zeros = torch.zeros(1, 1, 16)
    return export(folder / "isaac_lstm.onnx", Net(forward, rnn=nn.LSTM(3, 16), actor=mlp(16, 1)),
                  {"obs": torch.zeros(1, 3), "h_in": zeros, "c_in": zeros},
                  ["actions", "h_out", "c_out"])


def _act(net: Any, front: Tensor, state: Tensor) -> Tensor:
    seen = torch.cat([net.eye(front), state], dim=1)
    rows: Tensor = net.head(seen).reshape(1, ROWS, JOINTS).tanh()
    return rows


def _chunker() -> Net:
    eye = nn.Sequential(nn.Conv2d(3, 4, 4, 4), nn.ReLU(), nn.Flatten(),
                        nn.Linear(4 * (SIDE // 4) ** 2, 16))
    return Net(_act, eye=eye, head=mlp(16 + JOINTS, ROWS * JOINTS))


def _lerobot() -> dict[str, Tensor]:
    return {"observation.images.front": torch.zeros(1, 3, SIDE, SIDE),
            "observation.state": torch.zeros(1, JOINTS)}


def act(folder: Path) -> Path:
    """An ACT: a picture and a state in, a chunk out; statistics lie elsewhere."""
    return export(folder / "act.onnx", _chunker(), _lerobot(), ["action"])


def prefix(folder: Path) -> Path:
    """A chunk policy that also takes the rows that act meanwhile (training-time RTC)."""
    def forward(net: Any, front: Tensor, state: Tensor, before: Tensor, delay: Tensor) -> Tensor:
        rows = torch.arange(ROWS).reshape(1, ROWS, 1) < delay.reshape(1, 1, 1)
        return torch.where(rows, before, _act(net, front, state))
    return export(folder / "prefix.onnx", Net(forward, **dict(_chunker().named_children())), {
        **_lerobot(), "prev_chunk": torch.zeros(1, ROWS, JOINTS),
        "inference_delay": torch.zeros(1, dtype=torch.int64)}, ["action"])


def goal(folder: Path) -> Path:
    """A policy that is told where to go beside what it sees."""
    def forward(net: Any, seen: Tensor, to: Tensor) -> Tensor:
        out: Tensor = net.actor(torch.cat([seen, to], dim=1))
        return out
    return export(folder / "goal.onnx", Net(forward, actor=mlp(3 + 2, 1)),
                  {"obs": torch.zeros(1, 3), "goal": torch.zeros(1, 2)}, ["actions"])


def half(folder: Path) -> Path:
    """Weights, input and output in float16."""
    return export(folder / "half.onnx", mlp(4, 2).half(),
                  {"x": torch.zeros(1, 4, dtype=torch.float16)}, ["logits"])


def _eye(scaled: bool, last: bool) -> Net:
    def forward(net: Any, picture: Tensor) -> Tensor:
        values = picture.float() / 255 if scaled else picture
        values = values.permute(0, 3, 1, 2) if last else values
        out: Tensor = net.head(values.flatten(1))
        return out
    return Net(forward, head=mlp(64, 3))


def channels_last(folder: Path) -> Path:
    """A picture as TensorFlow has it."""
    return export(folder / "channels_last.onnx", _eye(True, True),
                  {"image": torch.zeros(1, 8, 8, 1, dtype=torch.uint8)}, ["logits"])


def open_axes(folder: Path) -> Path:
    """Batch axes that are left open."""
    return export(folder / "open_axes.onnx", mlp(4, 2), {"obs": torch.zeros(1, 4)}, ["logits"],
                  open_batch=True)


def heads(folder: Path) -> Path:
    """Action, value and log-probability, all of one size."""
    def forward(net: Any, seen: Tensor) -> tuple[Tensor, ...]:
        action = net.actor(seen)
        return action, net.critic(seen), -(action ** 2)
    return export(folder / "heads.onnx", Net(forward, actor=mlp(3, 1), critic=mlp(3, 1)),
                  {"obs": torch.zeros(1, 3)}, ["action", "value", "log_prob"])


def whole_numbers(folder: Path) -> Path:
    """An input of int64."""
    def forward(net: Any, seen: Tensor) -> Tensor:
        out: Tensor = net.head(seen.float() / 100)
        return out
    return export(folder / "whole_numbers.onnx", Net(forward, head=mlp(2, 3)),
                  {"obs": torch.zeros(1, 2, dtype=torch.int64)}, ["logits"])


def masked(folder: Path) -> Path:
    """Logits of which one is always masked."""
    def forward(net: Any, seen: Tensor) -> Tensor:
        out: Tensor = net.head(seen / 100) + torch.tensor([0.0, float("-inf"), 0.0])
        return out
    return export(folder / "masked.onnx", Net(forward, head=mlp(2, 3)),
                  {"obs": torch.zeros(1, 2)}, ["logits"])


def outside(folder: Path) -> Path:
    """Weights in a file beside it."""
    path = export(folder / "outside.onnx", mlp(4, 2), {"x": torch.zeros(1, 4)}, ["q_values"])
    model = onnx.load(str(path))
    onnx.save_model(model, str(path), save_as_external_data=True, location="outside.weights",
                    size_threshold=0)
    return path


def scaled_inside(folder: Path) -> Path:
    """Pictures as uint8, divided in the graph."""
    return export(folder / "scaled_inside.onnx", _eye(True, False),
                  {"image": torch.zeros(1, 1, 8, 8, dtype=torch.uint8)}, ["logits"])


def _scaled_beside(folder: Path, name: str, said: str) -> Path:
    return export(folder / f"{name}.onnx", _eye(False, False),
                  {"image": torch.zeros(1, 1, 8, 8)}, ["logits"],
                  {f"{PREFIX}normalize": said})


def scaled_beside(folder: Path) -> Path:
    """Statistics in the metadata."""
    return _scaled_beside(folder, "scaled_beside", "image scale=1/255 mean=0.5 std=0.25")


def unscaled(folder: Path) -> Path:
    """Declared as normalised, without statistics."""
    return _scaled_beside(folder, "unscaled", "image")


def mjlab(folder: Path) -> Path:
    """mjlab's metadata: lists with commas."""
    return export(folder / "mjlab.onnx", mlp(3, 1), {"obs": torch.zeros(1, 3)}, ["actions"], {
        "run_path": "me/run", "joint_names": "hinge", "joint_stiffness": "20.000",
        "joint_damping": "1.000", "default_joint_pos": "0.250", "command_names": "",
        "observation_names": "joint_pos,joint_vel", "action_scale": "0.500"})


def exploy(folder: Path) -> Path:
    """exploy's: JSON by key; targets beside the network's own actions."""
    def forward(net: Any, seen: Tensor) -> tuple[Tensor, Tensor]:
        raw = net.actor(seen)
        return raw * 0.5 + 0.1, raw
    return export(folder / "exploy.onnx", Net(forward, actor=mlp(3, 1)),
                  {"obj.robot1.joints.pos": torch.zeros(1, 3)},
                  ["output.joint_targets.jt1.pos", "actions"], {
        "exploy_version": json.dumps("0.1.0"), "update_rate": json.dumps(50.0),
        "obj.robot1.joints": json.dumps({"joint_names": ["hinge"]}),
        "output.joint_targets.jt1": json.dumps(
            {"names": ["hinge"], "stiffness": [1.0], "damping": [0.1]})})


_LEROBOT = PolicyOptions(
    inputs=("observation.images.front=front", "observation.state=state"),
    normalize=("front scale=1/255 mean=0.485,0.456,0.406 std=0.229,0.224,0.225",
               "state mean=0,0 std=0.5,0.5", "action mean=0.1,-0.1 std=0.5,0.5"))

FILES: dict[str, Foreign] = {
    "SB3 PPO": Foreign(sb3_ppo, CARTPOLE),
    "SB3 SAC, not said": Foreign(sb3_sac, PENDULUM, refused="policy_output=gaussian_tanh"),
    "SB3 SAC": Foreign(sb3_sac, PENDULUM, PolicyOptions(output="gaussian_tanh")),
    "SAC in one output": Foreign(sac_in_one, PENDULUM, PolicyOptions(output="gaussian_tanh")),
    "CleanRL DQN": Foreign(cleanrl_dqn, CARTPOLE),
    "Isaac Lab rsl_rl": Foreign(isaac_mlp, PENDULUM),
    "Isaac Lab rsl_rl LSTM": Foreign(isaac_lstm, PENDULUM, workers=1),
    "Isaac Lab rsl_rl LSTM, 4 workers": Foreign(isaac_lstm, PENDULUM,
                                                refused="set scenario.workers=1"),
    "ACT": Foreign(act, ARM, _LEROBOT),
    "ACT with a prefix": Foreign(prefix, ARM, _LEROBOT),
    "with a goal": Foreign(goal, PENDULUM, PolicyOptions(constants=("goal=0.5,-0.5",))),
    "with a goal, not said": Foreign(goal, PENDULUM, refused="policy_constants: goal="),
    "float16": Foreign(half, CARTPOLE),
    "NHWC": Foreign(channels_last, PICTURE, PolicyOptions(layout="nhwc")),
    "NHWC, not said": Foreign(channels_last, PICTURE, refused="policy_layout=nhwc"),
    "symbolic axes": Foreign(open_axes, CARTPOLE),
    "value and log-prob heads": Foreign(heads, PENDULUM),
    "int64 input": Foreign(whole_numbers, COUNTER),
    "masked logits": Foreign(masked, COUNTER),
    "external data": Foreign(outside, CARTPOLE),
    "normalisation inside": Foreign(scaled_inside, PICTURE),
    "normalisation beside": Foreign(scaled_beside, PICTURE),
    "normalisation without statistics": Foreign(unscaled, PICTURE, refused="without statistics"),
    "mjlab metadata": Foreign(mjlab, PENDULUM),
    "exploy metadata": Foreign(exploy, PENDULUM),
}
