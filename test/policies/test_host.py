"""What an inference process opens, remembers and closes, whatever order it is asked in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from policies.tiny_policies import BUTTONS, VECTOR, endless, goal_taker, uri, written

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.schedule.stagger import Schedule
from realtime_rl.core.settings.inference import InferenceParameters
from realtime_rl.policies.compute_threads import NAME
from realtime_rl.policies.host import InferenceHost, Surroundings
from realtime_rl.policies.hot_swap import LOAD

SCHEDULE = Schedule((0, 1), 16_000_000)


class Heard:
    """A log that keeps what is said."""

    def __init__(self) -> None:
        self.infos: list[str] = []
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.info, self.warning, self.error = (
            self.infos.append, self.warnings.append, self.errors.append)


Make = Callable[..., tuple[InferenceHost, Heard]]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[InferenceHost] = []
    others = set(threading.enumerate())  # of tests before, whose end nobody waits for

    def make_host(**changes: Any) -> tuple[InferenceHost, Heard]:
        heard = Heard()
        made.append(InferenceHost(InferenceParameters(**{
            "workers": 2, "observation": str(VECTOR), "actions": str(BUTTONS), **changes}),
            Surroundings("inference_0", heard, lambda: None)))
        return made[-1], heard
    yield make_host
    for host in made:
        host.close()
    assert not [thread for thread in threading.enumerate()
                if thread not in others and thread.name in (NAME, LOAD)]


def policy(folder: Path, version: int, proto: Any = None) -> Path:
    return written(folder, version, proto, epsilon=0.25)


def in_use(host: InferenceHost) -> int | None:
    assert host._policies is not None
    assert host._policies.wait_idle(60)
    current = host._policies.current
    return None if current is None else current.policy.version


def test_it_starts_with_its_own_policy_and_takes_others_beside_it(make: Make, tmp_path: Path
                                                                  ) -> None:
    root = tmp_path / "root"
    host, heard = make(policy=str(policy(root, 0)))
    assert host.open(SCHEDULE)
    assert in_use(host) == 0
    host.announce(uri(policy(root, 5)))
    assert in_use(host) == 5
    host.announce(uri(policy(tmp_path / "elsewhere", 6)))
    assert in_use(host) == 5
    assert "policy refused, version 5 stays" in heard.errors[0]
    assert "from where policies are taken" in heard.errors[0]


def test_opened_again_it_goes_on_with_the_newest_that_was_announced(make: Make, tmp_path: Path
                                                                    ) -> None:
    host, _ = make(policy=str(policy(tmp_path, 0)))
    assert host.open(SCHEDULE)
    host.announce(uri(policy(tmp_path, 5)))
    assert in_use(host) == 5
    host.close()
    assert host.open(SCHEDULE)
    assert in_use(host) == 5
    host.close()
    host.announce(uri(policy(tmp_path, 6)))  # while it is closed
    assert host.engine is None
    assert host.open(SCHEDULE)
    assert in_use(host) == 6


def test_one_that_is_gone_meanwhile_is_replaced_by_its_own(make: Make, tmp_path: Path) -> None:
    host, heard = make(policy=str(policy(tmp_path, 0)))
    five = policy(tmp_path, 5)
    host.announce(uri(five))
    five.unlink()
    assert host.open(SCHEDULE)
    assert in_use(host) == 0
    assert "this host cannot read it" in heard.errors[0]


def test_one_that_was_refused_is_not_tried_again(make: Make, tmp_path: Path) -> None:
    host, heard = make(policy=str(policy(tmp_path, 0)), load_limit=0.2)
    assert host.open(SCHEDULE)
    host.announce(uri(policy(tmp_path, 5)))
    assert in_use(host) == 5
    host.announce(uri(policy(tmp_path, 6, endless())))
    assert in_use(host) == 5
    assert "is not ready after 0.2 s (load_limit): given up" in heard.errors[0]
    host.close()
    assert host.open(SCHEDULE)
    assert in_use(host) == 5
    assert len(heard.errors) == 1


def test_a_failure_leaves_nothing_open(make: Make, tmp_path: Path) -> None:
    host, heard = make(policy=str(tmp_path / "absent.onnx"))
    for _ in range(2):
        before = threading.active_count()
        assert not host.open(SCHEDULE)
        assert host.engine is None
        assert threading.active_count() == before
    assert "this host cannot read it" in host.failure
    host.announce(uri(policy(tmp_path, 5)))
    assert len(heard.errors) == 2  # announced to nobody, it is only remembered
    assert host.open(SCHEDULE)
    assert in_use(host) == 5


@pytest.mark.parametrize(("own", "said"), [
    ("https://example.org/policy.onnx", "scheme 'https' is not supported"),
    ("file:///p/a.onnx#sha256=1", "is not 'sha256=' and 64 hex digits"),
    ("file:///dev/zero", "is not a regular file")])
def test_a_policy_of_its_own_that_cannot_be_is_said(make: Make, own: str, said: str) -> None:
    host, _ = make(policy=own)
    assert not host.open(SCHEDULE)
    assert said in host.failure


def test_without_any_policy_one_is_waited_for_in_the_folder_it_is_told(make: Make, tmp_path: Path
                                                                       ) -> None:
    host, heard = make(policy_root=str(tmp_path))
    assert host.open(SCHEDULE)
    assert in_use(host) is None
    host.announce(uri(policy(tmp_path, 5)))
    assert in_use(host) == 5
    host, heard = make()
    assert host.open(SCHEDULE)
    host.announce(uri(policy(tmp_path, 5)))
    assert in_use(host) is None
    assert "there is no policy_root" in heard.errors[0]


def test_the_wait_for_a_policy_ends_with_the_process(make: Make, tmp_path: Path) -> None:
    """SIGTERM while the first policy is loaded, which never is."""
    host, _ = make(policy=str(policy(tmp_path, 0, endless())))
    asked = iter([False, False, True, True])
    assert not host.open(SCHEDULE, lambda: next(asked))
    assert host.engine is None


def test_exploration_is_said_at_the_start_and_with_every_version(make: Make, tmp_path: Path
                                                                 ) -> None:
    own = str(policy(tmp_path, 0))
    for exploration, epsilon in (("off", "0"), ("learner", "0.25"), ("0.1", "0.1")):
        host, heard = make(policy=own, exploration=exploration)
        assert host.open(SCHEDULE)
        assert in_use(host) == 0
        assert heard.infos[0] == f"exploration: {exploration}"
        assert heard.infos[1].endswith(f"exploring with ε {epsilon} ({exploration})")


@pytest.mark.parametrize("change", [
    {"exploration": "much"}, {"latency": "slow"}, {"policy_size_limit": -1.0},
    {"load_limit": 0.0}, {"slot_limit": -1.0}])
def test_what_cannot_be_is_refused(change: dict[str, Any]) -> None:
    from realtime_rl.core.settings.config import build

    with pytest.raises(ConfigError):
        InferenceHost(build(InferenceParameters, change), Surroundings("x", Heard(), lambda: None))


def test_the_first_policy_is_loaded_as_fast_as_can_be_later_ones_step_back(tmp_path: Path) -> None:
    asked: list[str] = []
    host = InferenceHost(InferenceParameters(
        observation=str(VECTOR), actions=str(BUTTONS), policy=str(policy(tmp_path, 0))),
        Surroundings("x", Heard(), lambda: None, lambda *, short: asked.append("ordinary"),
                     lambda: asked.append("background")))
    assert host.open(SCHEDULE)
    assert asked == ["ordinary"]
    host.announce(uri(policy(tmp_path, 1)))
    assert in_use(host) == 1
    assert asked == ["ordinary", "ordinary", "background"]
    host.close()


@pytest.mark.parametrize(("asked", "message"), [
    ({"batch": 3}, "batch: 3 observations wait in as many workers, and the process has 2: set "
                   "scenario.workers=3"),
    ({"batch": 2, "workers": 4, "processes": 2}, "set scenario.processes=1 instead of 2"),
    ({"batch": 2, "latency": "constant:9ms"}, "set latency=none instead of 'constant:9ms'"),
    ({"cuda_graph": True}, "cuda_graph: provider 'auto' may have none"),
])
def test_what_no_backend_does_is_refused_before_anything_is_loaded(
    make: Make, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make(**asked)
    assert "\n" not in str(caught.value)


def test_a_goal_is_kept_for_an_engine_that_is_opened_later(make: Make, tmp_path: Path) -> None:
    path = policy(tmp_path, 0, goal_taker())
    host, heard = make(policy=str(path), policy_goal="goal")
    assert host.open(SCHEDULE)
    assert host.engine is not None
    assert in_use(host) == 0
    assert heard.warnings == ["the policy does not act before a goal of 2 value(s) comes on "
                              "'goal', for its input 'goal'"]
    assert host.aim(np.ones(3)).startswith("a goal of 3 value(s)")
    current = host._in_use()
    assert current is not None
    assert host.engine.inputs.lacks_goal(current)
    assert host.aim(np.ones(2)) == ""
    host.close()
    assert host.open(SCHEDULE)
    assert not host.engine.inputs.lacks_goal(current)
    assert len(heard.warnings) == 1
