"""Files of other makers' shapes: what is said of each, and that it acts or is refused clearly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("gymnasium")

import onnxruntime
import torch

import realtime_rl
from benchmarks import foreign_files
from benchmarks.foreign_files import ARM, FILES, PENDULUM, Foreign
from realtime_rl.cli.main import main
from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.policy.prefix import Prefix
from realtime_rl.core.types import Cause
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_loader import Loader

FED = {
    "SB3 PPO": ("part 'float32[4]", "acts: number of the choice"),
    "SB3 SAC": ("as float32", "acts: a Gaussian, whose mean acts through tanh"),
    "SAC in one output": ("as float32", "acts: a Gaussian, whose mean acts through tanh"),
    "CleanRL DQN": ("as float32", "acts: one value a choice, the largest acts"),
    "Isaac Lab rsl_rl": ("as float32", "acts: one value a dimension"),
    "Isaac Lab rsl_rl LSTM": ("state: what 'h_out' gave", "1 worker, more are refused"),
    "ACT": ("part 'front=uint8[3,32,32] 0:255' as float32, scale=0.00392157 mean=0.485,0.456,0.406",
            "acts: 50 rows of one value a dimension, scaled: mean=0.1,-0.1 std=0.5,0.5",
            "a chunk is for 50 ticks, from 1 after its observation on, and acts"),
    "ACT with a prefix": ("prefix: what is promised to act meanwhile", "where nobody tells it"),
    "with a goal": ("constant: [0.5, -0.5]", "acts: one value a dimension"),
    "float16": ("as float16", "acts: one value a choice"),
    "NHWC": ("as uint8, channels last", "acts: one value a choice"),
    "symbolic axes": ("['batch', 4]", "acts: one value a choice"),
    "value and log-prob heads": ("as float32", "'value', 'log_prob' are not used"),
    "int64 input": ("as int64", "values are not whole costs its slot"),
    "masked logits": ("as float32", "acts: one value a choice"),
    "external data": ("as float32", "acts: one value a choice"),
    "normalisation inside": ("as uint8", "acts: one value a choice"),
    "normalisation beside": ("as float32, scale=0.00392157 mean=0.5 std=0.25",
                             "realtime_rl.normalize"),
    "mjlab metadata": ("joint_names", "scaled: mean=0.25 std=0.5"),
    "exploy metadata": ("update_rate", "it was made for a tick every 20 ms"),
}
"""What `realtime-rl policy` prints of each that acts."""
ACTS = [name for name, each in FILES.items() if not each.refused]
REFUSED = [name for name, each in FILES.items() if (each.refused and each.workers == 1)
           or (each.refused and "workers" not in each.refused)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every file, made once."""
    folder = tmp_path_factory.mktemp("foreign")
    makers = {each.make: each.make(folder) for each in FILES.values()}
    return {name: makers[each.make] for name, each in FILES.items()}


def verb(path: Path, foreign: Foreign, *more: str) -> list[str]:
    """The command line that looks into a file."""
    said = foreign.options
    name, options = foreign.plant
    repeated = [("--plant-option", [f"{key}={value}" for key, value in options.items()]),
                ("--policy-inputs", said.inputs), ("--policy-normalize", said.normalize),
                ("--policy-constants", said.constants)]
    words = [word for option, values in repeated for value in values for word in (option, value)]
    words += ["--policy-output", said.output] if said.output else []
    return ["policy", str(path), "--plant", name, "--policy-layout", said.layout, "--runs", "5",
            *words, *more]


@pytest.mark.parametrize("name", ACTS)
def test_the_verb_says_how_each_is_fed_and_read(
    made: dict[str, Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(verb(made[name], FILES[name])) == 0
    printed = capsys.readouterr().out
    assert all(words in printed for words in FED[name]), printed
    assert main(verb(made[name], FILES[name], "--json", "-")) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["workers"] >= 1
    assert document["duration_ms"]["n"] == 5
    assert sum("acts:" in str(each["use"]) for each in document["outputs"]) == 1


@pytest.mark.parametrize("name", ACTS)
def test_each_acts_in_virtual_time(made: dict[str, Path], name: str) -> None:
    foreign = FILES[name]
    plant = realtime_rl.make_plant(foreign.plant[0], **foreign.plant[1])
    causes, actions = [], set()
    policy = realtime_rl.load_policy(made[name], plant, options=foreign.options)
    realtime_rl.simulate_policy(
        plant, policy, delay=1 if policy.recurrent else 3, ticks=120,
        on_tick=lambda tick: (causes.append(tick.cause), actions.add(tick.action)))
    assert causes[4:].count(Cause.POLICY) == 116
    assert all(plant.spec.actions.problem(action) is None for action in actions)
    plant.close()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_clear_is_refused_in_one_line(
    made: dict[str, Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(verb(made[name], FILES[name])) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("realtime-rl policy: error: policy '")
    assert FILES[name].refused in line


def loaded(made: dict[str, Path], name: str) -> tuple[OnnxPolicy, Any]:
    plant = realtime_rl.make_plant(FILES[name].plant[0], **FILES[name].plant[1])
    return realtime_rl.load_policy(made[name], plant, options=FILES[name].options), plant


def test_a_chunk_is_what_the_graph_gives_for_what_is_said(made: dict[str, Path]) -> None:
    """Pictures and state are normalised, rows are taken back: as the network's maker would."""
    policy, plant = loaded(made, "ACT")
    seen = plant.step(plant.spec.actions.noop).observation
    mean, std = (np.array(each, np.float32).reshape(1, 3, 1, 1) for each in (
        (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    raw = onnxruntime.InferenceSession(str(made["ACT"])).run(None, {
        "observation.images.front": (seen["front"][None] / np.float32(255) - mean) / std,
        "observation.state": seen["state"][None] / np.float32(0.5)})[0][0]
    expected = raw * 0.5 + np.array([0.1, -0.1], np.float32)
    outputs = policy.infer(seen)
    assert np.allclose(outputs, expected, atol=1e-5)
    rows = policy.rows(outputs)
    assert len(rows) == policy.horizon == 50
    assert np.allclose(rows, np.clip(expected, -1, 1), atol=1e-5)


def test_a_prefix_is_fed_in_the_networks_units_and_padded_with_its_last_row(
    made: dict[str, Path]
) -> None:
    policy, plant = loaded(made, "ACT with a prefix")
    seen = plant.step(plant.spec.actions.noop).observation
    assert policy.fitted.prefix
    promised = Prefix(((0.5, -0.5), (0.25, 0.0)), promised=4, final=4)
    rows = policy.rows(policy.infer(seen, promised=promised))
    free = policy.rows(policy.infer(seen))
    assert np.allclose(rows[:4], [(0.5, -0.5), *[(0.25, 0.0)] * 3], atol=1e-6)
    assert np.allclose(rows[4:], free[4:], atol=1e-6)
    policy.fitted = replace(policy.fitted, max_prefix=3)
    with pytest.raises(PolicyError, match=r"takes a prefix of 3 rows at most .*, and 4 act before"):
        policy.infer(seen, promised=promised)


def test_an_lstm_remembers_as_torch_does(made: dict[str, Path]) -> None:
    policy, _ = loaded(made, "Isaac Lab rsl_rl LSTM")
    session = onnxruntime.InferenceSession(str(made["Isaac Lab rsl_rl LSTM"]))
    random, memory = np.random.default_rng(0), policy.memory()
    hidden = cell = np.zeros((1, 1, 16), np.float32)
    for _ in range(5):
        seen = random.normal(size=3).astype(np.float32)
        action, hidden, cell = session.run(None, {"obs": seen[None], "h_in": hidden, "c_in": cell})
        assert policy.infer(seen, memory=memory).tolist() == action[0].tolist()
    assert policy.infer(seen, memory=policy.memory()).tolist() != action[0].tolist()
    with pytest.raises(PolicyError, match="it needs its memory"):
        policy.infer(seen)


def test_a_recurrent_one_has_one_worker(made: dict[str, Path]) -> None:
    path, plant = made["Isaac Lab rsl_rl LSTM"], realtime_rl.make_plant(*PENDULUM[:1],
                                                                       **PENDULUM[1])
    expected = plant.spec.observation, plant.spec.actions
    Loader(expected, workers=1)(path.as_uri())
    with pytest.raises(PolicyError, match=r"is recurrent \(h_in → h_out, c_in → c_out\), so one "
                       r"inference has to end before the next begins: set scenario.workers=1"):
        Loader(expected, workers=4)(path.as_uri())


@pytest.mark.parametrize(("delay", "interaction", "good"), [
    (1, "asynchronous", True), (3, "sequential", True), (3, "asynchronous", False)])
def test_in_virtual_time_its_inferences_do_not_overlap(
    made: dict[str, Path], delay: int, interaction: Any, good: bool
) -> None:
    policy, plant = loaded(made, "Isaac Lab rsl_rl LSTM")
    if good:
        realtime_rl.simulate_policy(plant, policy, delay=delay, interaction=interaction, ticks=20)
    else:
        with pytest.raises(PolicyError, match="--interaction sequential, --delay 1, or --every"):
            realtime_rl.simulate_policy(plant, policy, delay=delay, ticks=20)


def test_an_episode_begins_without_memory(made: dict[str, Path]) -> None:
    """Two episodes that see the same are played the same."""
    policy, plant = loaded(made, "Isaac Lab rsl_rl LSTM")
    played: list[list[Any]] = []

    def note(tick: Any) -> None:
        if tick.first:
            played.append([])
        played[-1].append(tick.action)

    for _ in range(2):
        plant.reset(3)
        realtime_rl.simulate_policy(plant, policy, ticks=30, on_tick=note)
    assert played[0] == played[1]


def other_horizon(folder: Path, rows: int) -> Path:
    class Head(torch.nn.Module):
        def forward(self, front: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
            return (state + front.mean()).unsqueeze(1).repeat(1, rows, 1)
    return foreign_files.export(folder / f"rows{rows}.onnx", Head(), foreign_files._lerobot(),
                                ["action"])


def test_a_swap_to_other_rows_inputs_or_outputs_is_refused(
    made: dict[str, Path], tmp_path: Path
) -> None:
    plant = realtime_rl.make_plant(ARM[0], **ARM[1])
    expected, said = (plant.spec.observation, plant.spec.actions), FILES["ACT"].options
    in_use = OnnxPolicy.load(made["ACT"], expected, options=said)
    loader = Loader(expected, options=said, in_use=lambda: in_use)
    assert loader(made["ACT"].as_uri()).horizon == 50
    with pytest.raises(PolicyError, match=r"cannot take the place of version 0: its rows of a "
                                          r"chunk \(H\): 20, not 50; start the run again"):
        loader(other_horizon(tmp_path, 20).as_uri())
    with pytest.raises(PolicyError, match=r"its prefix: \['inference_delay', 'prev_chunk'\], not"):
        loader(made["ACT with a prefix"].as_uri())
    told = Loader(expected, options=said, merge=MergeRule.PREFIX)
    assert told(made["ACT with a prefix"].as_uri()).takes_prefix
    with pytest.raises(PolicyError, match=r"takes no prefix, and chunk_merge is 'prefix'"):
        told(made["ACT"].as_uri())


def test_rows_of_another_period_are_taken_at_the_plants_ticks(tmp_path: Path) -> None:
    plant = realtime_rl.make_plant(ARM[0], **ARM[1])  # 50 ticks a second

    class Line(torch.nn.Module):
        def forward(self, front: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
            rows = torch.arange(11.0).reshape(1, 11, 1) / 10
            return rows.repeat(1, 1, 2) + 0 * (state.mean() + front.mean())
    path = foreign_files.export(tmp_path / "line.onnx", Line(), foreign_files._lerobot(),
                                ["action"])
    policy = realtime_rl.load_policy(path, plant, options=PolicyOptions(
        inputs=FILES["ACT"].options.inputs, chunk_period_ns=40_000_000, chunk_first_tick=0))
    rows = policy.rows(policy.infer(plant.step(plant.spec.actions.noop).observation))
    assert (len(rows), policy.horizon, policy.first_offset) == (21, 21, 0)
    assert np.allclose(np.array(rows)[:, 0], np.arange(21) / 20, atol=1e-6)


def test_targets_of_foreign_metadata_are_in_the_plants_units(made: dict[str, Path]) -> None:
    seen = np.array([0.1, 0.2, 0.3], np.float32)
    for name, scale, offset in (("mjlab metadata", 0.5, 0.25), ("exploy metadata", 0.5, 0.1)):
        policy, _ = loaded(made, name)
        raw = onnxruntime.InferenceSession(str(made[name])).run(
            ["actions"], {policy.fitted.inputs[0].name: seen[None]})[0][0]
        assert policy.infer(seen).tolist() == pytest.approx((raw * scale + offset).tolist(),
                                                            rel=1e-5)


def test_foreign_metadata_and_parameters_that_differ_are_refused(made: dict[str, Path]) -> None:
    plant = realtime_rl.make_plant(PENDULUM[0], **PENDULUM[1])
    said = PolicyOptions(normalize=("action scale=1",))
    with pytest.raises(PolicyError, match=r"its metadata \(mjlab\) say normalize of 'action' is "
                       r"'mean=0.25 std=0.5', the parameters say 'as it is'"):
        realtime_rl.load_policy(made["mjlab metadata"], plant, options=said)
    realtime_rl.load_policy(made["mjlab metadata"], plant, options=PolicyOptions(
        normalize=("action scale=1",), foreign=False))


