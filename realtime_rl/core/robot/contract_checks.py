"""What cannot be meant by a contract: each mistake in one line, before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.robot import action_checks, fields, message_types, rewards, sections
from realtime_rl.core.robot.contract import Contract, SourceSpec
from realtime_rl.core.robot.contract_choices import Mode

_TOPIC = re.compile(r"[~/]?/?[A-Za-z]\w*(/[A-Za-z]\w*)*")
_BOOL = "std_msgs/msg/Bool"


def check(contract: Contract) -> None:
    """Refuse a contract that cannot be kept; `ConfigError` with the first mistake found."""
    for problems in (_of_sources, action_checks.problems, _of_guards, _of_start, _of_rewards,
                     _of_topics):
        for line in problems(contract):
            raise ConfigError(line)
    contract.spec  # noqa: B018 - whatever else does not fit is found when it is made


def _of_sources(contract: Contract) -> Iterator[str]:
    for spec in contract.sources:
        where = f"source.{spec.name}"
        yield from _of_values(where, spec)
        if spec.config.latency >= spec.config.max_age:
            yield (f"{where}.latency: {spec.config.latency:g} s is not below max_age, "
                   f"{spec.config.max_age:g} s: it would always be stale")


def _of_values(where: str, spec: SourceSpec) -> Iterator[str]:
    """Say what does not fit the values of a source."""
    size = len(spec.elements)
    for key in ("scale", "offset"):
        given = getattr(spec.config, key)
        if given and spec.image is not None:
            yield f"{where}.{key}: a picture's values stay as they are"
        elif len(given) not in (0, 1, size):
            yield f"{where}.{key}: {len(given)} values for {size} elements"
    if 0.0 in spec.config.scale:
        yield f"{where}.scale: 0: it would always say the same"
    twice = [name for name in spec.elements if spec.elements.count(name) > 1]
    if twice:
        yield f"{where}.fields: {twice[0]!r} is there twice"


def _of_guards(contract: Contract) -> Iterator[str]:
    if contract.deadman.topic and contract.deadman.button < 0:
        yield "deadman.button: absent; give the number of the button that is held, as 4"
    if not contract.deadman.topic and contract.deadman != sections.Deadman():
        yield "deadman.topic: absent; give the gamepad's, as /joy"
    if not contract.estop.topic and contract.estop != sections.Estop():
        yield "estop.topic: absent; give the one on which the emergency stop is announced"


def _of_start(contract: Contract) -> Iterator[str]:
    start, period = contract.start, contract.robot.period
    if 0 < start.ramp < period:
        yield (f"start.ramp: {start.ramp:g} s is shorter than the period, {period:g} s; give more, "
               "or 0 for none")
    if start.max_first_step and not {Mode.POSITION, Mode.DELTA} & set(contract.modes):
        yield "start.max_first_step: no action has positions"


def _of_rewards(contract: Contract) -> Iterator[str]:
    known = rewards.elements(contract)
    for name, reward in contract.rewards.items():
        where = f"reward.{name}"
        if bool(reward.topic) == bool(reward.of):
            yield f"{where}: give either a topic or `of`, elements of the observation"
        yield from _of_topic(where, reward) if reward.topic else _of_rule(where, reward, known)
        if reward.below <= reward.above:
            yield f"{where}.below: {reward.below:g} is not more than above, {reward.above:g}"
        if not reward.weight and not reward.ends:
            yield f"{where}.weight: 0: nothing would be earned"


def _of_topic(where: str, reward: sections.Reward) -> Iterator[str]:
    if reward.to:
        yield f"{where}.to: goes with `of`, not with a topic"
    if not reward.type:
        yield f"{where}.type: absent; give that of its messages, as 'std_msgs/msg/Float64'"
        return
    try:
        field = fields.parse(reward.field, message_types.source(reward.type))
    except ConfigError as error:
        yield f"{where}: {error}"
        return
    if len(field.elements) != 1:
        yield f"{where}.field: {reward.field!r} is {len(field.elements)} values; name one"


def _of_rule(where: str, reward: sections.Reward, known: tuple[str, ...]) -> Iterator[str]:
    strangers = [name for name in reward.of if name not in known]
    strangers += [name for name in reward.to
                  if name not in known and rewards.number(name) is None]
    if strangers:
        yield (f"{where}: {strangers[0]!r} is no element of the observation; there are "
               f"{choices(known)}")
    if reward.to and len(reward.to) != len(reward.of):
        yield f"{where}.to: {len(reward.to)} for {len(reward.of)} of `of`"
    if not reward.to and len(reward.of) > 1:
        yield f"{where}.of: {len(reward.of)} elements; give `to`, or name one"
    if reward.ends and (reward.above, reward.below) == (_NO.above, _NO.below):
        yield f"{where}.ends: at once, as something is always earned; give above or below"


_NO = sections.Reward()


def _of_topics(contract: Contract) -> Iterator[str]:
    seen: dict[str, tuple[str, str]] = {}
    for where, topic, kind in _topics(contract):
        if not _TOPIC.fullmatch(topic) or "__" in topic:
            yield f"{where}.topic: {topic!r} is no name of a topic, as /joint_states is"
        first, other = seen.setdefault(topic, (where, kind))
        if other != kind:
            yield f"{where}.topic: {topic!r} is of {kind} here, of {other} in {first}"
        if where.startswith("action.") and first != where:
            yield f"{where}.topic: {topic!r} is that of {first} too"


def _topics(contract: Contract) -> Iterator[tuple[str, str, str]]:
    """Yield all topics: where they stand, their names and types."""
    for spec in contract.sources:
        yield f"source.{spec.name}", spec.config.topic, spec.config.type
    for name, reward in contract.rewards.items():
        if reward.topic:
            yield f"reward.{name}", reward.topic, reward.type
    for where, topic, kind in (("estop", contract.estop.topic, _BOOL),
                               ("episode", contract.episode.topic, _BOOL),
                               ("deadman", contract.deadman.topic, "sensor_msgs/msg/Joy")):
        if topic:
            yield where, topic, kind
    for group in contract.actions:
        yield f"action.{group.name}", group.config.topic, group.config.type
