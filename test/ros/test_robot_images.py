"""A camera's pictures: every encoding and size as the contract says, or refused."""

from __future__ import annotations

import array
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="OpenCV is not installed")
import cv2

from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot.sections import Image
from realtime_rl.ros import robot_images
from realtime_rl.ros.robot_images import PictureReader

WIDTH, HEIGHT = 12, 8
RGB = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RGB[:, :WIDTH // 2] = (200, 40, 20)
RGB[:, WIDTH // 2:] = (10, 60, 220)


def raw(pixels: Any, encoding: str, padding: int = 0) -> Any:
    """An Image message; rows may be padded with what is no pixel."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    padded = np.concatenate([rows, np.full((height, padding), 77, np.uint8)], axis=1)
    return SimpleNamespace(encoding=encoding, height=height, width=width, step=padded.shape[1],
                           data=array.array("B", padded.tobytes()))


def packed(kind: str, pixels: Any = RGB) -> Any:
    data = cv2.imencode(f".{kind}", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1]
    return SimpleNamespace(format=f"rgb8; {kind} compressed bgr8",
                           data=array.array("B", data.tobytes()))


def reader(encoding: str = "rgb8", width: int = WIDTH, height: int = HEIGHT, **more: Any
           ) -> PictureReader:
    return PictureReader(Image(encoding, width, height, **more))


def bayer(first: str) -> Any:
    """What a sensor behind a filter sees of the picture, whose first rows are `first`."""
    mosaic = np.zeros((HEIGHT, WIDTH), np.uint8)
    for place, colour in enumerate(first):
        mosaic[place // 2::2, place % 2::2] = RGB[place // 2::2, place % 2::2, "rgb".index(colour)]
    return mosaic


def yuv(order: str) -> Any:
    """Pixels in pairs that share their colour (BT.601, as cameras send it)."""
    whole = np.dot(RGB, [[0.257, -0.148, 0.439], [0.504, -0.291, -0.368], [0.098, 0.439, -0.071]])
    whole += [16, 128, 128]
    pairs = np.zeros((HEIGHT, WIDTH, 2), np.uint8)
    luma = order.index("y")
    pairs[:, :, luma] = whole[:, :, 0]
    pairs[:, 0::2, 1 - luma], pairs[:, 1::2, 1 - luma] = whole[:, 0::2, 1], whole[:, 1::2, 2]
    return pairs


ALPHA = np.full((HEIGHT, WIDTH, 1), 9, np.uint8)
MESSAGES = [
    (raw(RGB, "rgb8"), 0), (raw(RGB, "rgb8", padding=5), 0), (raw(RGB[:, :, ::-1], "bgr8"), 0),
    (raw(np.concatenate([RGB, ALPHA], 2), "rgba8", padding=1), 0),
    (raw(np.concatenate([RGB[:, :, ::-1], ALPHA], 2), "bgra8"), 0),
    *((raw(bayer(first), f"bayer_{first}8"), 2) for first in ("rggb", "bggr", "gbrg", "grbg")),
    (raw(yuv("uy"), "yuv422"), 3), (raw(yuv("yu"), "yuv422_yuy2"), 3),
    (packed("png"), 0), (packed("jpg"), 12)]


@pytest.mark.parametrize(("message", "off"), MESSAGES)
def test_every_encoding_shows_the_same_picture(message: Any, off: int) -> None:
    """Away from the edge in its middle, and its rim, near which colours are reckoned."""
    picture = reader().read(message)
    assert (picture.shape, picture.dtype) == ((3, HEIGHT, WIDTH), np.uint8)
    assert picture.flags.c_contiguous
    gray = reader("mono8").read(message)
    assert gray.shape == (1, HEIGHT, WIDTH)
    expected = cv2.cvtColor(RGB, cv2.COLOR_RGB2GRAY)
    for column in (2, 9):
        seen = picture[:, 3, column].astype(int)
        assert np.abs(seen - RGB[3, column].astype(int)).max() <= off
        assert abs(int(gray[0, 3, column]) - int(expected[3, column])) <= max(off, 2)


def test_gray_is_every_channel_of_a_colour_picture() -> None:
    gray = np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    assert (reader().read(raw(gray, "mono8")) == gray).all()
    assert (reader("mono8").read(raw(gray, "mono8", padding=4))[0] == gray).all()


@pytest.mark.parametrize(("resize", "black", "left"), [
    ("letterbox", True, 200), ("crop", False, 200), ("stretch", False, 200)])
def test_another_aspect_is_framed_cut_or_stretched(resize: str, black: bool, left: int) -> None:
    picture = reader(width=6, height=6, resize=resize).read(raw(RGB, "rgb8"))
    assert picture.shape == (3, 6, 6)
    assert (picture[:, 0] == 0).all() == black
    assert picture[0, 3, 0] == left
    assert picture[2, 3, 5] == 220


def test_a_letterbox_keeps_the_aspect_and_a_crop_the_middle() -> None:
    marked = np.zeros((40, 80), np.uint8)
    marked[:, 20:60] = 255
    framed = reader("mono8", 40, 40, resize="letterbox").read(raw(marked, "mono8"))[0]
    assert (framed[10:30, 10:30] == 255).all()
    assert framed[:10].max() == framed[30:].max() == 0
    cut = reader("mono8", 20, 20, resize="crop").read(raw(marked, "mono8"))[0]
    assert (cut == 255).all()


@pytest.mark.parametrize(("message", "said"), [
    (raw(RGB[:4], "rgb8"), "a picture of 12×4, not 12×8; say `resize: letterbox`"),
    (raw(RGB, "16UC1"), "image encoding '16UC1' is not one of .*'bgr8'"),
    (raw(RGB, "rgba8"), "image of 288 bytes, expected 8 rows of 36"),
    (SimpleNamespace(format="jpeg", data=array.array("B", b"no picture")),
     "10 bytes of 'jpeg' that are no picture"),
    (SimpleNamespace(format="jpeg", data=array.array("B")), "no picture"),
    (raw(yuv("uy")[:, :11], "yuv422"), "no picture"),
])
def test_what_is_no_such_picture_is_refused(message: Any, said: str) -> None:
    with pytest.raises(WireError, match=said):
        reader().read(message)


def test_a_camera_that_changes_its_size_is_refused_until_it_is_as_before() -> None:
    found = reader(width=6, height=4, resize="stretch")
    found.read(raw(RGB, "rgb8"))
    with pytest.raises(WireError, match="a picture of 12×4; those before it were of 12×8"):
        found.read(raw(RGB[:4], "rgb8"))
    assert found.read(raw(RGB, "rgb8")).shape == (3, 4, 6)


@pytest.mark.parametrize("encoding", ["rgb8", "mono8"])
def test_a_picture_is_written_as_it_is_seen(encoding: str) -> None:
    picture = reader(encoding).read(raw(RGB, "rgb8"))
    written = np.frombuffer(robot_images.write_png(picture), np.uint8)
    message = SimpleNamespace(format="png", data=array.array("B", written.tobytes()))
    assert (reader(encoding).read(message) == picture).all()
