"""What the inferences that begin now are fed with: observations, applied actions, memory, goal."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from realtime_rl.core.errors import PolicyError
from realtime_rl.core.experience.action_history import ActionHistory
from realtime_rl.core.experience.observation_stack import ObservationStack
from realtime_rl.core.messages.plan import NOTHING, Plan
from realtime_rl.core.observations import Observation
from realtime_rl.core.policy.prefix import Prefix, of_plan
from realtime_rl.core.policy.states import Memory
from realtime_rl.core.types import Action
from realtime_rl.policies.feeding import Seen
from realtime_rl.policies.onnx_policy import OnnxPolicy


class InputsSoFar:
    """Follows the policy in use, which says how much of it there must be."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._stack = ObservationStack(1)
        self._stack_size = 1
        self._applied = ActionHistory(0)
        self._memory: Memory | None = None
        self._plan = NOTHING
        self._goal: NDArray[Any] | None = None

    def observe(self, tick: int, first: bool, observation: Observation, policy: OnnxPolicy | None
                ) -> None:
        """Take an observation in; `policy` is in use."""
        if policy is not None and policy.stack != self._stack_size:
            self._stack_size = policy.stack
            self._stack = ObservationStack(self._stack_size)
        if policy is not None and policy.action_history != self._applied.length:
            self._applied = ActionHistory(policy.action_history)
        self._stack.push(tick, observation, first)
        if first:
            self._applied.begin(tick)
            self._memory = None  # what is under way keeps its own

    @property
    def wants_applied(self) -> bool:
        """Whether the policy takes applied actions: then call `applied` for every tick."""
        return self._applied.length > 0

    def applied(self, tick: int, action: Action) -> None:
        """Take in what the plant applied at a tick, for the inferences on later ones."""
        self._applied.push(tick, action)

    def promise(self, plan: Plan) -> None:
        """Take in what the actuator promises."""
        self._plan = plan

    def promised(self, tick: int, due_tick: int, policy: OnnxPolicy) -> Prefix | None:
        """Return what acts until the chunk of a slot can; `None`: the policy is not told it."""
        return of_plan(self._plan, tick, due_tick) if policy.takes_prefix else None

    def aim(self, goal: NDArray[Any], policy: OnnxPolicy | None) -> str:
        """Take a goal; return why not, or nothing. The one before stays then."""
        taken = None if policy is None else policy.goal
        try:
            self._goal = goal if taken is None else taken.cast(goal)
        except PolicyError as error:
            return str(error)
        return ""

    def lacks_goal(self, policy: OnnxPolicy) -> bool:
        """Whether the policy cannot act, as nobody gave the goal that it takes."""
        goal = policy.goal
        return goal is not None and goal.start is None and self._goal is None

    def seen(self, tick: int, policy: OnnxPolicy, promised: Prefix | None) -> Seen | None:
        """Return what an inference on a tick is fed with; `None`: it is not kept any more."""
        stacked = self._stack.get(tick, fill_gaps=True)
        # a policy that came into use since the newest observation may take another history
        known = self._applied.length == policy.action_history
        history = self._applied.get(tick) if known else (None,) * policy.action_history
        return None if stacked is None else Seen(stacked, history, promised, self._goal)

    def memory(self, policy: OnnxPolicy, *, anew: bool) -> Memory | None:
        """Return what a recurrent policy remembers of this episode; `anew`: nothing yet."""
        if anew or self._memory is None:
            self._memory = policy.memory()
        return self._memory

    def part(self) -> None:
        """Let an inference that hangs keep its memory to itself."""
        self._memory = None if self._memory is None else self._memory.copy()
