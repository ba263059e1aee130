"""Topics of parts, names of values, pixels."""

from __future__ import annotations

import numpy as np
import pytest

from realtime_rl.core.messages import observation_wire as ow
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.observations import ObservationSpec, parse

ARM = ObservationSpec((3,), "float32", -1, 1, "arm", ("j1", "j2", "j3"))
PLAIN = ObservationSpec((3,), "float32", -1, 1)
LONG = ObservationSpec((27_654,), "float32", -1, 1)


@pytest.mark.parametrize(("text", "topics"), [
    ("uint8[1] 0:1", {"observation": "observation"}),
    ("arm=uint8[1] 0:1", {"arm": "observation"}),
    ("a=uint8[1] 0:1; b=uint8[1] 0:1", {"a": "observation/a", "b": "observation/b"})])
def test_topics_of_parts(text: str, topics: dict[str, str]) -> None:
    assert ow.topics(parse(text)) == topics


@pytest.mark.parametrize(("topic", "part"), [
    ("observation", ""), ("observation/front", "front"), ("observations", None),
    ("observation/", None), ("observation/a/b", None), ("timestep", None)])
def test_the_part_of_a_topic(topic: str, part: str | None) -> None:
    assert ow.part_of(topic) == part


def test_values_are_named_in_messages_that_are_short() -> None:
    assert ow.value_names(ARM) == ("j1", "j2", "j3")
    assert ow.value_names(PLAIN) == ("observation.0", "observation.1", "observation.2")
    assert ow.value_names(ObservationSpec((2, 1), "float32", 0, 1, "x")) == ("x.0", "x.1")
    assert ow.value_names(LONG) == ()


@pytest.mark.parametrize(("part", "names"), [
    (ARM, ("j1", "j2", "j3")), (ARM, ()), (ARM, ("arm.0", "arm.1", "arm.2")),
    (ARM, ("observation.0", "observation.1", "observation.2")), (PLAIN, ("x", "y", "z")),
    (LONG, tuple(f"observation.{i}" for i in range(27_654)))])
def test_names_that_say_the_same_or_nothing(part: ObservationSpec, names: tuple[str, ...]) -> None:
    ow.check_names(names, part)


@pytest.mark.parametrize(("part", "names", "shown"), [
    (ARM, ("j1", "j3", "j2"), "arm: its values are 'j1 j3 j2', in the order of the plant they are "
                              "'j1 j2 j3'"),
    (ARM, ("j1", "j2"), "'j1 j2', in"), (ARM, ("arm.1", "arm.0", "arm.2"), "'arm.1 arm.0 arm.2'"),
    (PLAIN, ("observation.1", "observation.0", "observation.2"), "'observation.1 observation.0"),
    (LONG, tuple(f"observation.{i}" for i in reversed(range(27_654))), "… (27654 names), in")])
def test_another_order_is_refused_with_both(part: ObservationSpec, names: tuple[str, ...],
                                            shown: str) -> None:
    with pytest.raises(WireError) as caught:
        ow.check_names(names, part)
    assert shown in str(caught.value)
    assert len(str(caught.value)) < 600 and "\n" not in str(caught.value)


@pytest.mark.parametrize(("channels", "encoding"), [(1, "mono8"), (3, "rgb8")])
@pytest.mark.parametrize("padding", [0, 5])
def test_pixels_come_back_in_channels(channels: int, encoding: str, padding: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (channels, 4, 6), np.uint8)
    rows = ow.interleaved(image).reshape(4, -1)
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=7).ravel()
    read = ow.pixels(data, encoding, (4, 6), rows.shape[1] + padding)
    assert np.array_equal(read, image) and read.flags.c_contiguous
    if not padding:
        assert np.array_equal(ow.pixels(data, encoding, (4, 6), 0), image)


@pytest.mark.parametrize(("encoding", "size", "step", "message"), [
    ("bgr8", (4, 6), 0, "image encoding 'bgr8': only 'mono8' and 'rgb8'"),
    ("rgb8", (4, 6), 6, "expected 4 rows of 6 for a width of 6"),
    ("rgb8", (4, 5), 0, "image of 72 bytes, expected 4 rows of 15")])
def test_other_images_are_refused(encoding: str, size: tuple[int, int], step: int, message: str
                                  ) -> None:
    with pytest.raises(WireError, match=message):
        ow.pixels(np.zeros(72, np.uint8), encoding, size, step)
