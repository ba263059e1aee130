"""Message layouts: every record there and back, and no harm from malformed messages."""

from __future__ import annotations

import dataclasses
import enum
import math
import typing
from dataclasses import replace
from typing import Annotated, Any

import pytest
from alike import same
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime_rl.core.messages import cdr, joy_wire, ranges, records, wire
from realtime_rl.core.messages.joy_wire import JoyValues
from realtime_rl.core.messages.ranges import Range
from realtime_rl.core.messages.record_fields import optional
from realtime_rl.core.messages.records import (
    ActionMessage,
    Command,
    Inference,
    ScheduleRecord,
    Verdict,
)
from realtime_rl.core.messages.wire import NamedScalars, WireError
from realtime_rl.core.types import ActionSpace, Cause

KINDS = (records.Timestep, records.Verdict, records.Inference, records.ScheduleRecord,
         records.Learning, records.RobotRecord)
PAD = ActionSpace(("A", "B", "C", "NOOP"), (3.0,))
ARM = ActionSpace(("j1", "j2"), (0.0, 0.0), (-1.0, -1.0), (1.0, 1.0))
IDS = st.integers(0, 2**53)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)


def hints_of(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def values(hint: Any) -> st.SearchStrategy[Any]:
    if typing.get_origin(hint) is Annotated:
        item, allowed = typing.get_args(hint)
        if item is int:
            return st.integers(int(allowed.low), int(allowed.high))
        special = [*[math.nan] * allowed.nan, *[math.inf, -math.inf] * allowed.infinite]
        numbers = st.floats(allowed.low, allowed.high)
        return st.one_of(numbers, st.sampled_from(special)) if special else numbers
    if typing.get_origin(hint) is tuple:
        return st.lists(values(typing.get_args(hint)[0]), max_size=12).map(tuple)
    plain = {bool: st.booleans(), str: st.text(max_size=99),
             float: st.floats(width=32, allow_nan=False, allow_infinity=False)}
    if hint in plain:
        return plain[hint]
    assert issubclass(hint, enum.IntEnum)
    return st.sampled_from(list(hint))


def records_of(kind: type) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: values(hint) for name, hint in hints_of(kind).items()})


def written(record: Any) -> dict[str, Any]:
    """Field by field, so that NaN equals NaN and types count."""
    values_of = ((field.name, getattr(record, field.name)) for field in dataclasses.fields(record))
    return {name: (type(value), repr(value)) for name, value in values_of}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_record_is_read_back_as_it_was(kind: type, data: st.DataObject) -> None:
    record = data.draw(records_of(kind))
    assert written(wire.decode(kind, wire.encode(record))) == written(record)


VERDICT = Verdict(5, records.Fate.APPLIED, records.Reason.NONE, 9, 3, 6, 1, 7, 2, 0.25)
SCHEDULE = ScheduleRecord(5, 1, 100, 7, 7, 95_000_000, 2_000_000, 16_000_000,
                          records.Algorithm.MAX_TIME, records.Dealing.FIXED,
                          records.SlotSource.TICK, 2, (0, 1, 2))
INFERENCE = Inference(5, 9, 15, 1, 2, 7, 0.0, 0.1, 0.1, records.Miss.NONE, False, math.nan,
                      "inference_0", "cpu", "constant:95ms")


STEP = records.Timestep(5, 9, 16_000_000, 0.0, False, 0, 0.5, 1.0, False, False, Cause.POLICY, 1, 7,
                        3, (0.25,), "catch")
LEARNING = records.Learning(5, 9, 8, math.nan, 0.5, 7, math.nan)


def test_the_layout_of_a_schedule() -> None:
    scalars = wire.encode(SCHEDULE)
    assert scalars.stamp_ns == 5
    assert scalars.frame_id == ""
    assert dict(zip(scalars.names, scalars.values, strict=True)) == {
        "generation": 1, "effective_tick": 100, "promised_delay_ticks": 7, "required_workers": 7,
        "duration_ns": 95e6, "handover_ns": 2e6, "period_ns": 16e6, "algorithm": 0, "dealing": 1,
        "slot_source": 0, "processes": 2, "active.0": 0, "active.1": 1, "active.2": 2}


def test_text_goes_into_the_frame_id() -> None:
    scalars = wire.encode(INFERENCE)
    assert scalars.frame_id == (
        "node=inference_0 provider=cpu emulated=constant:95ms exploration=")
    assert not {"node", "provider", "emulated", "stamp_ns"} & set(scalars.names)


def test_absent_text_is_empty() -> None:
    scalars = replace(wire.encode(INFERENCE), frame_id="provider=cpu other words")
    decoded = wire.decode(Inference, scalars)
    assert (decoded.node, decoded.provider, decoded.emulated) == ("", "cpu", "")


def changed(record: Any, **scalars: float) -> NamedScalars:
    encoded = wire.encode(record)
    mapping = {**dict(zip(encoded.names, encoded.values, strict=True)), **scalars}
    return replace(encoded, names=tuple(mapping), values=tuple(mapping.values()))


@pytest.mark.parametrize("name", [name for name in wire.encode(VERDICT).names
                                  if name not in optional(Verdict)])
def test_every_scalar_is_needed(name: str) -> None:
    encoded = wire.encode(VERDICT)
    pairs = [pair for pair in zip(encoded.names, encoded.values, strict=True) if pair[0] != name]
    with pytest.raises(WireError, match=f"not a Verdict message: field '{name}'"):
        wire.decode(Verdict, replace(encoded, names=tuple(n for n, _ in pairs),
                                     values=tuple(v for _, v in pairs)))


@pytest.mark.parametrize(("record", "name", "value"), [
    (VERDICT, "tick", 0.5), (VERDICT, "tick", math.nan), (VERDICT, "tick", math.inf),
    (VERDICT, "fate", 4.0), (VERDICT, "fate", -1.0), (VERDICT, "reason", 99.0),
    (INFERENCE, "swapping", 0.5), (INFERENCE, "swapping", 2.0), (INFERENCE, "swapping", math.nan),
    (SCHEDULE, "active.1", 0.5), (SCHEDULE, "active.1", math.nan), (SCHEDULE, "active.9", 1.0)])
def test_a_scalar_of_another_type_is_refused(record: Any, name: str, value: float) -> None:
    with pytest.raises(WireError, match=f"not a {type(record).__name__} message"):
        wire.decode(type(record), changed(record, **{name: value}))


def test_more_scalars_than_needed_do_no_harm() -> None:
    assert same(wire.decode(Verdict, changed(VERDICT, battery=0.5)), VERDICT)


def test_names_without_values_are_absent() -> None:
    encoded = wire.encode(VERDICT)
    with pytest.raises(WireError):
        wire.decode(Verdict, replace(encoded, values=encoded.values[:-1]))


EXTRA = replace(wire.encode(VERDICT), names=(*wire.encode(VERDICT).names, "tick"),
                values=(*wire.encode(VERDICT).values, 3.0))


@pytest.mark.parametrize(("message", "problem"), [
    (EXTRA, "a name is there twice"),
    (replace(EXTRA, values=EXTRA.values[:-1]), "12 names and 11 values"),
    (replace(EXTRA, names=tuple(f"n{index}" for index in range(5000)), values=(0.0,) * 5000),
     "5000 names"),
    (replace(wire.encode(VERDICT), frame_id="x" * 10_000), "a frame_id of 10000 characters"),
    (replace(wire.encode(VERDICT), stamp_ns=-1), "'stamp_ns'=-1 is outside"),
    (replace(wire.encode(VERDICT), stamp_ns=2**31 * 10**9), "'stamp_ns'")])
def test_a_message_out_of_shape_is_refused(message: NamedScalars, problem: str) -> None:
    message = replace(message, names=message.names, values=message.values)
    with pytest.raises(WireError, match=problem):
        wire.decode(Verdict, message)


def samples() -> list[tuple[Any, str, Range, bool]]:
    """Every number of every record, with what it may be and whether it is a whole one."""
    found = []
    for record in (STEP, VERDICT, INFERENCE, SCHEDULE, LEARNING):
        for field, whole_hint in hints_of(type(record)).items():
            name, hint = field, whole_hint
            if typing.get_origin(hint) is tuple:
                name, hint = f"{field}.0", typing.get_args(hint)[0]
            if typing.get_origin(hint) is Annotated and name != "stamp_ns":
                item, allowed = typing.get_args(hint)
                found.append((record, name, allowed, item is int))
            elif hint is float:
                found.append((record, name, ranges.VALUE, False))
    return found


@pytest.mark.parametrize(("record", "name", "allowed", "whole"), [
    pytest.param(*sample, id=f"{type(sample[0]).__name__}.{sample[1]}") for sample in samples()])
def test_every_number_is_within_its_range_and_says_whether_it_may_be_none(
        record: Any, name: str, allowed: Range, whole: bool) -> None:
    def is_read(value: float) -> bool:
        try:
            wire.decode(type(record), changed(record, **{name: value}))
        except WireError as error:
            assert f"field '{name}'" in str(error)
            return False
        return True

    low, high = float(allowed.low), float(allowed.high)
    assert is_read(low)
    assert is_read(high)
    assert is_read(low - 1) is (low - 1 == low)  # the ages are too large for that
    assert not is_read(math.nextafter(low, -math.inf) if not whole else low - 2)
    assert not is_read(math.nextafter(high, math.inf))
    assert is_read(math.nan) is allowed.nan
    for value in (math.inf, -math.inf):
        assert is_read(value) is allowed.infinite


def test_only_these_numbers_may_be_unknown() -> None:
    unknown = {f"{type(record).__name__}.{name}" for record, name, allowed, _ in samples()
               if allowed.nan or allowed.infinite}
    assert unknown == {
        "Timestep.reward", "Verdict.arrival_s", "Verdict.age_s", "Inference.age_s",
        "Inference.duration_s", "Inference.compute_s", "Inference.swap_s", "Learning.loss",
        "Learning.lag_s"}


NAMES = sorted({name for kind in KINDS for name in typing.get_type_hints(kind)}
               | {"action.0", "action.1", "active.0", "active.x", "active."})


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(KINDS), frame_id=st.text(),
       scalars=st.dictionaries(st.sampled_from(NAMES), FLOATS, max_size=40), cut=st.integers(0, 3))
def test_malformed_scalars_give_a_wire_error_only(kind: type, frame_id: str,
                                                  scalars: dict[str, float], cut: int) -> None:
    message = NamedScalars(0, frame_id, tuple(scalars), tuple(scalars.values())[cut:])
    try:
        record = wire.decode(kind, message)
    except WireError as error:
        assert kind.__name__ in str(error)
    else:
        wire.encode(record)


@pytest.mark.parametrize("space", [PAD, ARM])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_an_action_is_read_back_as_it_was(space: ActionSpace, data: st.DataObject) -> None:
    action = ((float(data.draw(st.integers(0, 3))),) if space.discrete
              else data.draw(st.tuples(*[st.floats(-1, 1)] * 2)))
    hints = hints_of(ActionMessage)
    sent = ActionMessage(*(data.draw(values(hints[name])) for name in (
        "stamp_ns", "tick", "due_tick", "worker", "version", "generation")), action)
    assert joy_wire.decode_action(joy_wire.encode_action(sent, space), space) == sent


@pytest.mark.parametrize("space", [PAD, ARM])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_chunk_is_read_back_as_it_was(space: ActionSpace, data: st.DataObject) -> None:
    row = (st.tuples(st.integers(0, 3).map(float)) if space.discrete
           else st.tuples(*[st.floats(-1, 1, width=32)] * 2))
    rows = tuple(data.draw(st.lists(row, min_size=1, max_size=9)))
    first = data.draw(st.integers(0, 2**53))
    sent = ActionMessage(5, 4, 10, 1, 7, 2, rows[0], rows, first)
    joy = cdr.read_joy(cdr.write_joy(joy_wire.encode_action(sent, space)))
    assert joy is not None
    assert joy_wire.decode_action(joy, space) == sent
    assert sent.last_tick == first + len(rows) - 1


@pytest.mark.parametrize(("axes", "buttons"), [
    ((), ()), ((1.0,) * 3, ()), ((1.0,) * 2, (1,)), ((0.0,) * 2 * 1025, ())])
def test_what_is_no_whole_number_of_rows_is_no_chunk(axes: tuple[float, ...],
                                                    buttons: tuple[int, ...]) -> None:
    with pytest.raises(WireError, match="expected a chunk of 1 to 1024 rows of 2 values"):
        joy_wire.decode_action(JoyValues(1, f"{IDENTITY} first=5", axes, buttons), ARM)


def test_a_command_says_which_row_of_how_many_chunks() -> None:
    sent = Command(Cause.POLICY, (0.5, 0.0), 2, 7, 40, 3, 2)
    assert joy_wire.command_from(joy_wire.command_words(sent), sent.action) == sent


@given(record=records_of(records.Timestep))
@settings(max_examples=40, deadline=None)
def test_what_older_bags_lack_is_as_without(record: records.Timestep) -> None:
    scalars = wire.encode(record)
    kept = [place for place, name in enumerate(scalars.names) if name not in ("row", "merged")]
    older = replace(scalars, names=tuple(scalars.names[place] for place in kept),
                    values=tuple(scalars.values[place] for place in kept))
    read = wire.decode(records.Timestep, older)
    assert written(read) == written(replace(record, row=-1, merged=0))


IDENTITY = "tick=4 due=10 worker=1 version=7 generation=2"


@pytest.mark.parametrize(("axes", "buttons", "action"), [
    ((), (2,), (2.0,)), ((), (9,), (9.0,)), ((), (-1,), (-1.0,)),
    ((), (0, 0, 1, 0), (2.0,)), ((), (5, 0, 0, 0), (0.0,))])
def test_discrete_actions_are_an_index_or_one_hot(
        axes: tuple[float, ...], buttons: tuple[int, ...], action: tuple[float, ...]) -> None:
    joy = JoyValues(1, IDENTITY, axes, buttons)
    assert joy_wire.decode_action(joy, PAD) == ActionMessage(1, 4, 10, 1, 7, 2, action)


@pytest.mark.parametrize(("axes", "buttons"), [
    ((), ()), ((), (0, 0, 0, 0)), ((), (1, 1, 0, 0)), ((), (0, 1)), ((), (0,) * 5),
    ((1.0,), ()), ((1.0,), (1,))])
def test_other_discrete_actions_are_malformed(axes: tuple[float, ...],
                                              buttons: tuple[int, ...]) -> None:
    with pytest.raises(WireError, match="expected"):
        joy_wire.decode_action(JoyValues(1, IDENTITY, axes, buttons), PAD)


def test_a_nan_among_a_pads_axes_is_left_to_the_arbiter() -> None:
    [value] = joy_wire.decode_action(JoyValues(1, IDENTITY, (math.nan,), (1,)), PAD).action
    assert math.isnan(value)


@pytest.mark.parametrize(("axes", "buttons"), [
    ((), ()), ((0.0,), ()), ((0.0, 0.0, 0.0), ()), ((0.0, 0.0), (1,))])
def test_other_continuous_actions_are_malformed(axes: tuple[float, ...],
                                                buttons: tuple[int, ...]) -> None:
    with pytest.raises(WireError, match="expected 2 axes and no buttons"):
        joy_wire.decode_action(JoyValues(1, IDENTITY, axes, buttons), ARM)


def test_values_outside_the_space_are_left_to_the_arbiter() -> None:
    beyond = (9.0, -9.0)
    assert joy_wire.decode_action(JoyValues(1, IDENTITY, beyond, ()), ARM).action == beyond


@pytest.mark.parametrize("frame_id", [
    "", "tick=4", IDENTITY.replace("due=10 ", ""), IDENTITY.replace("4", "4.5"),
    IDENTITY.replace("worker=1", "worker=x"), IDENTITY.replace("worker=1", f"worker={2**53 + 1}"),
    IDENTITY.replace("version=7", f"version={'9' * 400}"), IDENTITY.replace("tick=4", "tick="),
    IDENTITY.replace("version=7", f"version={'9' * 5000}"), IDENTITY.replace("tick=4", "tick=-1"),
    IDENTITY.replace("due=10", "due=-2"), IDENTITY.replace("worker=1", "worker=4096"),
    IDENTITY.replace("worker=1", "worker=-1"), IDENTITY.replace("generation=2", "generation=-1")])
def test_an_unreadable_identity_is_malformed(frame_id: str) -> None:
    with pytest.raises(WireError, match="action frame_id"):
        joy_wire.decode_action(JoyValues(1, frame_id, (), (0,)), PAD)


@settings(max_examples=100, deadline=None)
@given(frame_id=st.one_of(st.text(), st.builds(
           "tick={} due={} worker={} version={} generation={}".format,
           *(st.one_of(st.integers(), st.text(max_size=3)) for _ in range(5)))),
       axes=st.lists(FLOATS, max_size=4), buttons=st.lists(st.integers(-2, 9), max_size=5),
       space=st.sampled_from([PAD, ARM]))
def test_malformed_actions_give_a_wire_error_only(
        frame_id: str, axes: list[float], buttons: list[int], space: ActionSpace) -> None:
    try:
        action = joy_wire.decode_action(JoyValues(0, frame_id, tuple(axes), tuple(buttons)), space)
    except WireError:
        return
    verdict = Verdict(0, records.Fate.REJECTED, records.Reason.STALE, -1, action.tick, -1,
                      action.worker, action.version, action.generation, 0.0)
    assert same(wire.decode(Verdict, wire.encode(verdict)), verdict)


@given(cause=st.sampled_from(list(Cause)), ids=st.tuples(st.integers(-1, 4095), IDS, IDS))
def test_on_whose_behalf_a_command_is_given_is_read_back(cause: Cause,
                                                         ids: tuple[int, int, int]) -> None:
    command = Command(cause, (1.0,), *ids)
    assert joy_wire.command_from(joy_wire.command_words(command), (1.0,)) == command


def test_a_bare_gamepad_is_an_operator() -> None:
    assert joy_wire.command_from("joy_link", (1.0,)) == Command(Cause.OPERATOR, (1.0,))


@pytest.mark.parametrize("frame_id", ["cause=nobody", "cause=policy worker=x", "version=1.5",
                                      f"tick={'9' * 400}", "cause=policy worker=4096",
                                      "cause=policy tick=-2", f"cause={'x' * 5000}"])
def test_an_unreadable_command_is_refused(frame_id: str) -> None:
    with pytest.raises(WireError, match="command frame_id"):
        joy_wire.command_from(frame_id, (1.0,))


def test_what_an_observation_says() -> None:
    assert wire.observation_words("plant=catch tick=7 first=1") == (7, True)
    assert wire.observation_words("tick=0 first=0") == (0, False)


@pytest.mark.parametrize("frame_id", [
    "", "tick=4", "first=1", "tick=x first=1", "tick=-1 first=0", "tick=1.5 first=0",
    f"tick={2**53 + 1} first=0", f"tick={'9' * 5000} first=0", "tick=4 first=2", "tick=4 first=yes",
    "tick=4 first=", "x" * 100_000])
def test_an_observation_without_its_words_is_refused(frame_id: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.observation_words(frame_id)
    assert len(str(caught.value)) < 1000


def test_stamps() -> None:
    assert (wire.stamp(2, 1), wire.stamp(0, 0)) == (2_000_000_001, 0)
    assert wire.stamp(2**31 - 1, 999_999_999) == ranges.STAMP.high
    for sec, nanosec in ((-1, 0), (0, 10**9), (0, 2**32 - 1), (2**31, 0)):
        with pytest.raises(WireError, match="not a stamp"):
            wire.stamp(sec, nanosec)


def test_what_others_sent_is_shown_short() -> None:
    for read in (lambda: joy_wire.decode_action(JoyValues(1, IDENTITY, (), (1,) * 100_000), PAD),
                 lambda: joy_wire.decode_action(JoyValues(1, "x=" * 4000, (), (1,)), PAD),
                 lambda: joy_wire.command_from(f"worker={'7' * 4000}", (0.0,))):
        with pytest.raises(WireError) as caught:
            read()
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(("text", "word"), [
    ("pyboy:MY GAME", "pyboy:MY%20GAME"), ("100%", "100%25"),
    ("Pokémon\u2003Rot", "Pokémon%E2%80%83Rot"), ("a=b", "a=b"), ("\0\n", "%00%0A"),
    ("caf\udce9", "caf%ED%B3%A9")])
def test_a_word_holds_any_text(text: str, word: str) -> None:
    assert wire.encode_words({"plant": text, "tick": 1}) == f"plant={word} tick=1"
    assert wire.decode_words(f"plant={word} tick=1") == {"plant": text, "tick": "1"}


@given(text=st.text(), more=st.text())
def test_any_text_is_read_back(text: str, more: str) -> None:
    words = {"plant": text, "node": more}
    assert wire.decode_words(wire.encode_words(words)) == words


@pytest.mark.parametrize(("word", "text", "was"), [
    ("pyboy:MY GAME", "pyboy:MY GAME", True), ("pyboy:MY_GAME", "pyboy:MY GAME", True),
    ("pyboy:MY_GAME", "pyboy:MY_GAME", True), ("pyboy:MY GAME", "pyboy:MY_GAME", False),
    ("a b_", "a%20b\n", True), ("pyboy:other", "pyboy:MY GAME", False)])
def test_what_was_written_when_blanks_became_underscores_is_known(word: str, text: str, was: bool
                                                                  ) -> None:
    assert wire.was_written(word, text) is was


def test_words() -> None:
    assert wire.decode_words("a=50% b=%zz c=%FF") == {"a": "50%", "b": "%zz", "c": "\ufffd"}
    assert wire.decode_words("a=1 b=x=y joy_link c=") == {"a": "1", "b": "x=y", "c": ""}
