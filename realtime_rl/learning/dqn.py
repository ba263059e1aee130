"""Deep Q-learning on the transitions of the delayed semi-MDP."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor
from torch.nn import functional

from realtime_rl.core.assembler import SemiMdpTransition
from realtime_rl.core.dqn_config import DqnConfig
from realtime_rl.core.policy_metadata import PolicyMetadata
from realtime_rl.core.snapshot import Snapshot
from realtime_rl.core.types import Action, ActionSpace, Observation, ObservationSpec
from realtime_rl.learning import networks, saved
from realtime_rl.learning.errors import LearningError, NonFiniteLossError
from realtime_rl.learning.n_step import NStep
from realtime_rl.learning.onnx_export import INPUT_NAME, PRODUCER
from realtime_rl.learning.replay import Batch, Replay


class DqnLearner:
    """Learns action values; the same transitions and seed give the same weights."""

    def __init__(
        self, config: DqnConfig, observation: ObservationSpec, actions: ActionSpace
    ) -> None:
        """Build the networks; `LearningError` for continuous actions or an unfit network."""
        if not actions.discrete:
            raise LearningError(f"Q-learning needs discrete actions, not '{actions}'")
        self._config = config
        self._observation = observation
        self._actions = actions
        self.network = networks.build(
            config.network, observation, config.stack, actions, config.seed)
        """The network that acts and is exported."""
        self._target = copy.deepcopy(self.network).requires_grad_(False)
        self._optimizer = torch.optim.Adam(
            self.network.parameters(), config.learning_rate, eps=1e-5, fused=True)
        self._replay = Replay(config.replay_size, config.seed)
        self._n_step = NStep(config.n_step)
        self._batch: Batch | None = None
        self.transitions = 0
        """Transitions learned from so far."""
        self.updates = 0
        """Gradient updates so far."""

    @property
    def ready(self) -> bool:
        """Whether there is enough to learn from for `update`."""
        return len(self._replay) >= min(self._config.learn_start, self._config.replay_size)

    @property
    def epsilon(self) -> float:
        """Exploration wanted now, in [0, 1]; falls linearly with the transitions."""
        config = self._config
        done = min(1.0, self.transitions / config.epsilon_transitions)
        return config.epsilon_start + done * (config.epsilon_end - config.epsilon_start)

    def add(self, transition: SemiMdpTransition) -> None:
        """Take a transition of one action, in the order in which they happened."""
        self.transitions += 1
        for joined in self._n_step.add(transition):
            self._replay.add(joined)

    def update(self) -> float:
        """Make one gradient update and return its loss.

        Raises:
            LearningError: there is nothing to learn from yet.
            NonFiniteLossError: the loss or its gradient is not finite; the weights stay what
                they were.
        """
        if self.updates % self._config.target_interval == 0:
            self._target.load_state_dict(self.network.state_dict())
        loss = self._loss()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self._config.clip_norm)
        value = float(loss.detach())
        if not (math.isfinite(value) and math.isfinite(float(norm))):
            raise NonFiniteLossError(
                f"update {self.updates + 1}: loss {value!r} with gradient norm {float(norm)!r}; "
                f"the weights of update {self.updates} are kept", self._batch)
        self._optimizer.step()
        self.updates += 1
        return value

    @torch.no_grad()
    def greedy(self, observation: Observation) -> Action:
        """Return the best action for one stacked observation, shape `(stack * C, …)`."""
        values: Tensor = self.network(torch.from_numpy(observation[None]))
        return (float(values.argmax()),)

    def metadata(self, version: int) -> PolicyMetadata:
        """Describe the present weights as policy `version`."""
        return PolicyMetadata(
            input_name=INPUT_NAME, observation=self._observation, stack=self._config.stack,
            actions=self._actions, version=version, training_step=self.updates,
            epsilon=self.epsilon, producer=PRODUCER, outputs="q_values")

    def save(self, snapshot: Snapshot, *, replay: bool) -> None:
        """Write the whole state; what was experienced only with `replay`."""
        saved.save_module(snapshot, "network", self.network)
        saved.save_module(snapshot, "target", self._target)
        saved.save_optimizer(snapshot, self._optimizer)
        saved.save_random(snapshot)
        self._replay.save(snapshot, contents=replay)
        self._n_step.save(snapshot)
        snapshot.values["learner"] = {"transitions": self.transitions, "updates": self.updates}

    def load(self, snapshot: Snapshot) -> None:
        """See `Saveable`."""
        saved.load_module(snapshot, "network", self.network)
        saved.load_module(snapshot, "target", self._target)
        saved.load_optimizer(snapshot, self._optimizer)
        saved.load_random(snapshot)
        self._replay.load(snapshot)
        self._n_step.load(snapshot)
        self.transitions = snapshot.values["learner"]["transitions"]
        self.updates = snapshot.values["learner"]["updates"]

    def _loss(self) -> Tensor:
        batch = self._batch = self._replay.sample(self._config.batch_size)
        action = torch.from_numpy(batch.action)[:, None]
        values = self.network(torch.from_numpy(batch.observation)).gather(1, action)[:, 0]
        wanted = (torch.from_numpy(batch.reward)
                  + torch.from_numpy(batch.discount) * self._next_value(batch.next_observation))
        if self._config.huber:
            return functional.smooth_l1_loss(values, wanted)
        return functional.mse_loss(values, wanted)

    @torch.no_grad()
    def _next_value(self, observation: Observation) -> Tensor:
        inputs = torch.from_numpy(observation)
        values: Tensor = self._target(inputs)
        if not self._config.double:
            return values.max(1).values
        best: Tensor = self.network(inputs).argmax(1, keepdim=True)
        return values.gather(1, best)[:, 0]
