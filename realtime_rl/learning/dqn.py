"""Deep Q-learning on the transitions of the delayed semi-MDP."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor

from realtime_rl.core.experience.action_history import History
from realtime_rl.core.experience.assembler import SemiMdpTransition
from realtime_rl.core.experience.snapshot import Snapshot
from realtime_rl.core.messages.policy_metadata import PolicyMetadata
from realtime_rl.core.observations import Observation, Observations
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.core.types import Action, ActionSpace
from realtime_rl.learning import (
    devices,
    memory_needed,
    networks,
    process_group,
    training_state,
)
from realtime_rl.learning.batch import Batch
from realtime_rl.learning.errors import LearningError, NonFiniteLossError
from realtime_rl.learning.heads import Head
from realtime_rl.learning.n_step import NStep
from realtime_rl.learning.onnx_export import PRODUCER, input_name
from realtime_rl.learning.replay import Replay
from realtime_rl.learning.temporal_difference import TemporalDifference
from realtime_rl.learning.under_way import UnderWay


class DqnLearner:
    """Learns action values; the same transitions and seed give the same weights."""

    def __init__(
        self, config: DqnConfig, observation: Observations, actions: ActionSpace,
        replay: Replay | None = None, *, learners: int = 1
    ) -> None:
        """Build the networks; `LearningError` for continuous actions or an unfit network.

        A network is also unfit when training it takes more memory than there is, and so is a
        device that there is not. `replay` takes the place of one that follows from the
        parameters. It learns as so many `learners` beside one another: see `UnderWay`.
        """
        if not actions.discrete:
            raise LearningError(f"Q-learning needs discrete actions, not '{actions}'")
        self._config = config = config.resolved().for_observation(observation)
        self._observation = observation
        self._actions = actions
        head = Head.of(config)
        self._device = device = devices.choose(config.device)
        memory_needed.check(config.network, networks.build(
            config.network, observation, config.stack, actions, config.seed, head=head,
            history=config.action_history, device="meta"), devices.free_bytes(device),
            under_way=learners - 1)
        self.network = networks.build(
            config.network, observation, config.stack, actions, config.seed, head=head,
            history=config.action_history).to(device).eval()
        """The network that acts and is exported."""
        self._target = copy.deepcopy(self.network).requires_grad_(False)
        self._optimizer = torch.optim.Adam(
            self.network.parameters(), config.learning_rate, eps=1e-5, fused=True)
        self._noise = torch.Generator().manual_seed(config.seed)
        self._replay = replay if replay is not None else Replay(
            config.replay_size, config.seed, config.replay, exponent=config.priority_exponent)
        self._n_step = NStep(config.n_step)
        self._loss = TemporalDifference(
            config, actions, (self.network, self._target), device, self._noise)
        self._compute: Callable[[Batch], tuple[Tensor, ...]] = self._loss.of
        self._backward: Callable[[Tensor], None] = Tensor.backward
        self._batch: Batch | None = None
        self._under_way = UnderWay(learners)
        self.transitions = 0
        """Transitions learned from so far."""
        self.updates = 0
        """Gradient updates so far."""
        self._explored = 0.0

    @property
    def ready(self) -> bool:
        """Whether there is enough to learn from for `update`."""
        return self._replay.seen >= min(self._config.learn_start, self._config.replay_size)

    @property
    def epsilon(self) -> float:
        """Exploration wanted now, in [0, 1]; falls linearly with the transitions."""
        config = self._config
        done = min(1.0, self._explored + self.transitions / config.epsilon_transitions)
        return config.epsilon_start + done * (config.epsilon_end - config.epsilon_start)

    def resume_exploration(self, epsilon: float) -> None:
        """Begin with the exploration that an earlier learner had come to, when it is later."""
        config = self._config
        span = config.epsilon_start - config.epsilon_end
        self._explored = (min(1.0, max(0.0, (config.epsilon_start - epsilon) / span))
                          if span else 0.0)

    def add(self, transition: SemiMdpTransition) -> None:
        """Take a transition of one action, in the order in which they happened."""
        self.transitions += 1
        self.demonstrate(transition)

    def demonstrate(self, transition: SemiMdpTransition) -> None:
        """Take a transition that somebody else made, in the order in which they happened.

        It is learned from like any other, but is no step on the way from exploring to acting.
        """
        for joined in self._n_step.add(transition):
            self._replay.add(joined)

    def advance(self, allowed: int) -> float | None:
        """Make the next of `allowed` updates in all; return its loss, `None` when none is due.

        Errors as in `update`.
        """
        return self.update() if self.ready and self.updates < allowed else None

    def close(self) -> None:
        """See `Learns`: all of it is in this process, so that nothing is left to end."""

    def reseed(self, seed: int) -> None:
        """Draw noise from `seed` from now on."""
        self._noise.manual_seed(seed)

    def share_weights(self, network: Tensor, target: Tensor) -> None:
        """Keep all weights in the given memory, `(parameters,)` float32 each, as it is there."""
        networks.share(self.network, network)
        networks.share(self._target, target)

    def average_gradients(self) -> None:
        """Learn in step with the other processes of a `ProcessGroup`, from the first one's weights.

        From then on every process has to make the same number of updates. Collective.
        """
        self._compute = process_group.averaged(self.network, self._loss.of)
        self._backward = process_group.backward

    def update(self) -> float:
        """Compute a gradient, make one update, and return the loss.

        With several learners the update is of the gradient that is due, and none at first.

        Raises:
            LearningError: there is nothing to learn from yet, a transition lacks its history of
                actions, or the GPU has too little memory.
            NonFiniteLossError: the loss or its gradient is not finite; the weights stay what
                they were.
        """
        if self.updates % self._config.target_interval == 0:
            self._target.load_state_dict(self.network.state_dict())
        batch = self._batch = self._replay.sample(self._config.batch_size, self._correction)
        try:
            losses, errors = self._compute(batch)
            loss = (losses * self._loss.there(batch.weight)).mean()
            self._optimizer.zero_grad()
            self._backward(loss)
        except torch.cuda.OutOfMemoryError as error:
            raise LearningError(f"update {self.updates + 1}: the GPU's memory is full; take a "
                                "smaller batch_size or network, or device 'cpu'") from error
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._config.clip_norm)
        value = float(loss.detach())
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise NonFiniteLossError(
                f"update {self.updates + 1}: loss {value!r} with gradient norm {float(norm)!r}; "
                f"the weights of update {self.updates} are kept", self._batch)
        self._replay.set_errors(batch.slot, errors.detach().cpu().numpy())
        if self._under_way.exchange(self.network):
            self._optimizer.step()
            self.updates += 1
        return value

    @torch.no_grad()
    def greedy(self, observation: Observation, history: History = ()) -> Action:
        """Return the best action for one stacked observation, shape `(stack * C, …)`.

        Args:
            observation: what is seen.
            history: the last `action_history` actions that the plant applied, oldest first.

        Raises:
            LearningError: the history has another length.
        """
        values: Tensor = self.network(*self._loss.inputs(observation[None], [history]))
        return (float(values.argmax()),)

    def metadata(self, version: int) -> PolicyMetadata:
        """Describe the present weights as policy `version`."""
        return PolicyMetadata(
            input_name=input_name(self._observation), observation=self._observation,
            stack=self._config.stack,
            actions=self._actions, version=version, training_step=self.updates,
            epsilon=self.epsilon, producer=PRODUCER, outputs="q_values",
            action_history=self._config.action_history)

    def save(self, snapshot: Snapshot, *, replay: bool) -> None:
        """Write the whole state; what was experienced only with `replay`."""
        training_state.save_module(snapshot, "network", self.network)
        training_state.save_module(snapshot, "target", self._target)
        training_state.save_optimizer(snapshot, self._optimizer)
        training_state.save_random(snapshot, self._noise)
        self._replay.save(snapshot, contents=replay)
        self._under_way.save(snapshot, contents=replay)
        self._n_step.save(snapshot)
        snapshot.values["learner"] = {"transitions": self.transitions, "updates": self.updates}

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        training_state.load_module(snapshot, "network", self.network)
        training_state.load_module(snapshot, "target", self._target)
        training_state.load_optimizer(snapshot, self._optimizer)
        training_state.load_random(snapshot, self._noise)
        self._replay.load(snapshot)
        self._under_way.load(snapshot, self._device)
        self._n_step.load(snapshot)
        self.transitions = snapshot.values["learner"]["transitions"]
        self.updates = snapshot.values["learner"]["updates"]

    @property
    def _correction(self) -> float:
        """Exponent of the importance weights, rising to 1 (Schaul and others 2016)."""
        config = self._config
        done = min(1.0, self.updates / config.correction_updates)
        return config.priority_correction + done * (1.0 - config.priority_correction)
