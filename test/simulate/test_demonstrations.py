"""Learning from bags."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bags.played import play, record
from simulate.test_train_in_virtual_time import CONFIG
from simulate.tiny_plant import Counter, Echo

from realtime_rl.core.errors import BagError, ConfigError
from realtime_rl.core.experience.assembler import Assembler, SemiMdpTransition
from realtime_rl.core.messages.records import Timestep
from realtime_rl.core.observations import Observation
from realtime_rl.core.types import Action, Cause, Transition
from realtime_rl.learning import checkpoint
from realtime_rl.learning.checkpoint import BAD_BATCH
from realtime_rl.learning.errors import LearningError
from realtime_rl.learning.training_state import weights_sha256
from realtime_rl.simulate import demonstrations
from realtime_rl.simulate.demonstrations import Demonstrations
from realtime_rl.simulate.loop import Delay, simulate
from realtime_rl.simulate.training_run import Plan, Settings, run

COUNTER, ECHO = Counter().spec, Echo().spec


def plain(transition: SemiMdpTransition) -> tuple[object, ...]:
    return ([frame.tolist() for frame in transition.observation], transition.action,
            transition.reward, transition.discount,
            [frame.tolist() for frame in transition.next_observation], transition.steps,
            transition.terminal, transition.history, transition.next_history)


def echoed(folder: Path, ticks: int = 600) -> Path:
    """Somebody who always presses what is shown."""
    def press(tick: int, observation: Observation) -> Action:
        return (float(observation.argmax()),)

    played = [(replace(step, cause=Cause.OPERATOR), seen)
              for step, seen in simulate(Echo(), press, Delay(1), ticks)]
    return record(folder, played, ECHO.observation)


@pytest.mark.parametrize("delay", [1, 4])
def test_they_are_what_a_policy_of_that_delay_would_have_met(delay: int, tmp_path: Path) -> None:
    """The same ticks assembled as in training, where a policy chose them so long before."""
    config = replace(CONFIG, stack=2, action_history=3)
    played = play(Counter(length=12), 50)
    bags = demonstrations.read([record(tmp_path / "bag", played, COUNTER.observation)], 0,
                               Delay(delay))
    found = [plain(each) for each in bags.transitions(COUNTER, config, Delay(delay))]

    def act(tick: int, observation: Observation) -> Action:
        due = tick + delay
        return played[due][0].action if due < 50 else (0.0,)

    assembler = Assembler(stack=2, gamma=config.gamma, history=3)
    expected = []
    for step, seen in simulate(Counter(length=12), act, Delay(delay), 50,
                               default=lambda tick, last: played[tick][0].action):
        expected += assembler.observe(step.tick, seen, step.first) + assembler.step(step)
    assert found == [plain(each) for each in expected]
    assert len(found) > 50 - 6 * (delay + 1)


def mixed(ticks: int, delay: int) -> list[tuple[Timestep, Observation]]:
    """A play in which a person, a policy with that delay, the default policy and a stop act."""
    rng = np.random.default_rng(0)
    played = []
    for step, seen in play(Counter(length=40), ticks):
        cause = Cause(int(rng.choice([Cause.OPERATOR, Cause.POLICY, Cause.DEFAULT, Cause.STOP,
                                      Cause.NONE], p=[0.4, 0.3, 0.1, 0.1, 0.1])))
        acted = cause is Cause.POLICY and step.tick >= delay
        played.append((replace(step, cause=cause if acted or cause is not Cause.POLICY
                               else Cause.DEFAULT,
                               observation_tick=step.tick - delay if acted else -1), seen))
    return played


@pytest.mark.parametrize("delay", [1, 4])
def test_the_same_play_gives_the_same_live_and_as_a_demonstration(
    delay: int, tmp_path: Path
) -> None:
    config = replace(CONFIG, stack=2, action_history=3)
    played, lost, unseen = mixed(300, delay), {100, 101}, {150}
    bags = demonstrations.read([record(tmp_path / "bag", played, COUNTER.observation, lost=lost,
                                       unseen=unseen)], 0, Delay(delay))
    assembler = Assembler(stack=2, gamma=config.gamma, history=3, operator_delay=delay)
    live = []
    for step, seen in played:
        if step.tick in lost:
            continue
        if step.tick not in unseen:
            live += assembler.observe(step.tick, seen, step.first)
        live += assembler.step(step)
    found = [plain(each) for each in bags.transitions(COUNTER, config, Delay(delay))]
    assert found == [plain(each) for each in live]
    assert len(found) > 100
    assert max(steps for *_, steps, _, _, _ in found) > 1, "ticks at which nobody chose"


def test_a_policy_that_had_another_delay_counts_as_one_of_that_to_be_trained(
    tmp_path: Path
) -> None:
    told = [(replace(step, cause=Cause.POLICY, observation_tick=max(-1, step.tick - 9)), seen)
            for step, seen in play(Counter(length=40), 60)]
    bags = [demonstrations.read([record(tmp_path / name, played, COUNTER.observation)], 0, Delay(3))
            for name, played in (("policy", told), ("person", play(Counter(length=40), 60)))]
    one, other = ([plain(each) for each in bag.transitions(COUNTER, CONFIG, Delay(3))]
                  for bag in bags)
    assert one == other


def test_gaps_are_not_bridged(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", play(Counter(length=100), 30), COUNTER.observation,
                  lost={10, 11}, unseen={20})
    bags = demonstrations.read([path], 0, Delay(1))
    found = list(bags.transitions(COUNTER, CONFIG, Delay(1)))
    pairs = {(int(each.observation[0][0]), int(each.next_observation[0][0])) for each in found}
    assert pairs == {(tick, tick + 1) for tick in range(29)} - {
        (tick, tick + 1) for tick in (8, 9, 10, 11, 19, 20, 28)}
    assert all(each.steps == 1 for each in found)
    assert bags.figures() == {"bags": 1, "ticks": 28, "operator_ticks": 28, "missing_ticks": 2,
                              "updates": 0}


def test_a_network_learns_from_them_before_the_first_tick(tmp_path: Path) -> None:
    bags = demonstrations.read([echoed(tmp_path / "bag")], 400, Delay(1))
    settings = Settings("echo", {}, Delay(1), CONFIG, demonstrations=bags)
    training = run(settings, Plan(1), Echo(), tmp_path / "out")
    learner = training.learner
    assert learner.updates == 401, "the replay is full enough to go on at once"
    assert learner.greedy(np.array([1, 0], np.float32)) == (0.0,)
    assert learner.greedy(np.array([0, 1], np.float32)) == (1.0,)
    assert (learner.transitions, learner.epsilon) == (0, 1.0), "exploration has not begun"


def test_resumed_it_ends_the_same(tmp_path: Path) -> None:
    bag = echoed(tmp_path / "bag")
    settings = Settings("echo", {}, Delay(1), CONFIG,
                        demonstrations=demonstrations.read([bag], 30, Delay(1)))
    whole = run(settings, Plan(90), Echo(), tmp_path / "whole")
    for ticks in (40, 90):
        parts = run(settings, Plan(ticks, keep_replay=True, resume=True), Echo(),
                    tmp_path / "parts")
    assert weights_sha256(parts.learner.network) == weights_sha256(whole.learner.network)
    other = replace(settings, demonstrations=None)
    with pytest.raises(checkpoint.CheckpointError, match=r"has another (pretrain|demonstrations)"):
        run(other, Plan(99, resume=True), Echo(), tmp_path / "parts")


def test_resumed_without_its_replay_they_are_in_it_again(tmp_path: Path) -> None:
    settings = Settings("echo", {}, Delay(1), CONFIG, demonstrations=demonstrations.read(
        [echoed(tmp_path / "bag")], 5, Delay(1)))
    first = run(settings, Plan(20), Echo(), tmp_path / "out")
    again = run(settings, Plan(30, resume=True), Echo(), tmp_path / "out")
    assert (first.learner.updates, again.learner.updates) == (25, 35)


def test_stopped_while_pretraining_nothing_is_kept(tmp_path: Path) -> None:
    asked = iter([False] * 7)
    settings = Settings("echo", {}, Delay(1), CONFIG, demonstrations=demonstrations.read(
        [echoed(tmp_path / "bag")], 50, Delay(1)))
    training = run(settings, Plan(9, stop=lambda: next(asked, True)), Echo(), tmp_path / "out")
    assert (training.tick, training.learner.updates) == (0, 7)
    assert not checkpoint.exists(tmp_path / "out")


class Poisoned(Echo):
    """Pays as much as float32 holds: added up it is infinite."""

    def step(self, action: Action) -> Transition:
        return replace(super().step(action), reward=3.4e38)


def test_a_loss_that_is_not_finite_is_said_to_be_of_pretraining(tmp_path: Path) -> None:
    path = record(tmp_path / "bag", play(Poisoned(), 60), ECHO.observation)
    settings = Settings("echo", {}, Delay(1), CONFIG, demonstrations=demonstrations.read(
        [path], 1, Delay(1)))
    with pytest.raises(LearningError, match=r"pretraining, update 1: loss (nan|inf)"):
        run(settings, Plan(9), Echo(), tmp_path / "out")
    assert (tmp_path / "out" / BAD_BATCH).exists()


def test_another_plant_leaves_nothing_behind(tmp_path: Path) -> None:
    bags = demonstrations.read([echoed(tmp_path / "bag")], 1, Delay(1))
    with pytest.raises(BagError, match="of plant 'echo', not 'counter'"):
        run(Settings("counter", {}, Delay(1), CONFIG, demonstrations=bags), Plan(9), Counter(),
            tmp_path / "out")
    assert not [path for path in (tmp_path / "out").iterdir() if path.name != ".lock"]


def test_what_sequential_interaction_would_not_meet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sequential interaction only every 3"):
        demonstrations.read([], 0, Delay(3, "sequential"))
    with pytest.raises(ConfigError, match="pretrain -1 must be 0 or more"):
        demonstrations.read([], -1, Delay(1))
    assert demonstrations.read([], 0, Delay(1, "sequential")) == Demonstrations((), 0)
