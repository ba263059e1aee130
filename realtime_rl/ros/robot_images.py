"""A camera's pictures, as a policy sees them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import MissingDependencyError, choices
from realtime_rl.core.messages import observation_wire
from realtime_rl.core.messages.wire import WireError
from realtime_rl.core.robot.sections import Image

Picture = NDArray[np.uint8]
"""`(channels, height, width)`."""
Pixels = NDArray[np.uint8]
"""`(height, width, channels)`, or without channels where there is one."""
Size = tuple[int, int]
"""Width and height."""


@dataclass(frozen=True, slots=True)
class _Encoding:
    """The ways from one of ROS's encodings, one after another, as OpenCV calls them."""

    channels: int
    rgb8: tuple[str, ...]
    mono8: tuple[str, ...]


_ENCODINGS = {
    "rgb8": _Encoding(3, (), ("RGB2GRAY",)),
    "mono8": _Encoding(1, ("GRAY2RGB",), ()),
    **{name: _Encoding(channels, (f"{theirs}2RGB",), (f"{theirs}2GRAY",))
       for name, channels, theirs in (
           ("bgr8", 3, "BGR"), ("rgba8", 4, "RGBA"), ("bgra8", 4, "BGRA"),
           # ROS calls a pattern by its first pixels, OpenCV by those one row and column later
           ("bayer_rggb8", 1, "BayerBG"), ("bayer_bggr8", 1, "BayerRG"),
           ("bayer_gbrg8", 1, "BayerGR"), ("bayer_grbg8", 1, "BayerGB"))},
    # not by its own luminance, which is of another range
    **{name: _Encoding(2, (f"YUV2RGB_{theirs}",), (f"YUV2RGB_{theirs}", "RGB2GRAY"))
       for name, theirs in (("yuv422", "UYVY"), ("yuv422_yuy2", "YUY2"))},
}


class PictureReader:
    """Takes the picture from each message of a camera.

    It may be used by any thread, but by one at a time.
    """

    def __init__(self, image: Image) -> None:
        """See pictures as `image` says; `MissingDependencyError` without OpenCV."""
        try:
            self._cv2: Any = importlib.import_module("cv2")
        except ImportError as error:
            raise MissingDependencyError("cv2", "ros", error) from error
        self._cv2.setNumThreads(1)  # its own would wait for work by keeping cores busy
        self._image = image
        self._wanted: Size = (image.width, image.height)
        self._interpolation = getattr(self._cv2, f"INTER_{image.interpolation.upper()}")
        self._given: Size | None = None

    def read(self, message: Any) -> Picture:  # noqa: ANN401 - an Image or a CompressedImage
        """Return the picture of a message, `(channels, height, width)`.

        Raises:
            WireError: it has none, of an encoding that is not read, or of another size than the
                one before it.
        """
        pixels = self._raw(message) if hasattr(message, "encoding") else self._unpacked(message)
        self._check_size((pixels.shape[1], pixels.shape[0]))
        fitted = self._fitted(pixels)
        if fitted.ndim == 2:
            return fitted[np.newaxis]
        return np.ascontiguousarray(fitted.transpose(2, 0, 1))

    def _raw(self, message: Any) -> Pixels:  # noqa: ANN401 - an Image
        encoding = _ENCODINGS.get(message.encoding)
        if encoding is None:
            raise WireError(f"image encoding {message.encoding!r} is not one of "
                            f"{choices(_ENCODINGS)}")
        pixels = observation_wire.rows(np.frombuffer(message.data, np.uint8), encoding.channels,
                                       (message.height, message.width), message.step)
        if encoding.channels == 1:
            pixels = pixels[:, :, 0]
        for conversion in getattr(encoding, self._image.encoding):
            pixels = self._done(self._cv2.cvtColor, pixels,
                                getattr(self._cv2, f"COLOR_{conversion}"))
        return pixels

    def _unpacked(self, message: Any) -> Pixels:  # noqa: ANN401 - a CompressedImage
        colour = self._image.encoding == "rgb8"
        flag = self._cv2.IMREAD_COLOR if colour else self._cv2.IMREAD_GRAYSCALE
        pixels = self._done(self._cv2.imdecode, np.frombuffer(message.data, np.uint8),
                            flag | self._cv2.IMREAD_IGNORE_ORIENTATION)
        if pixels is None:
            raise WireError(f"{len(message.data)} bytes of {message.format[:40]!r} that are no "
                            "picture")
        return self._done(self._cv2.cvtColor, pixels, self._cv2.COLOR_BGR2RGB) if colour else pixels

    def _check_size(self, given: Size) -> None:
        """Refuse a size that changes, and one that is not meant to be changed."""
        if self._image.resize == "refuse" and given != self._wanted:
            raise WireError(f"a picture of {_sized(given)}, not {_sized(self._wanted)}; say "
                            "`resize: letterbox`, `crop` or `stretch` in its section `image`, or "
                            "set the camera")
        if self._given is None:
            self._given = given
        if given != self._given:
            raise WireError(f"a picture of {_sized(given)}; those before it were of "
                            f"{_sized(self._given)}; set the camera back, or start anew")

    def _fitted(self, pixels: Pixels) -> Pixels:
        """Return a picture at the wanted size."""
        height, width = pixels.shape[:2]
        if (width, height) == self._wanted:
            return pixels
        to_width, to_height = self._wanted
        if self._image.resize == "crop":
            share = min(width / to_width, height / to_height)
            kept = max(1, round(to_width * share)), max(1, round(to_height * share))
            left, top = (width - kept[0]) // 2, (height - kept[1]) // 2
            return self._resized(pixels[top:top + kept[1], left:left + kept[0]], self._wanted)
        if self._image.resize == "stretch":
            return self._resized(pixels, self._wanted)
        share = min(to_width / width, to_height / height)
        inner = max(1, round(width * share)), max(1, round(height * share))
        framed = np.zeros((to_height, to_width, *pixels.shape[2:]), np.uint8)
        left, top = (to_width - inner[0]) // 2, (to_height - inner[1]) // 2
        framed[top:top + inner[1], left:left + inner[0]] = self._resized(pixels, inner)
        return framed

    def _resized(self, pixels: Pixels, size: Size) -> Pixels:
        return self._done(self._cv2.resize, pixels, size, interpolation=self._interpolation)

    def _done(self, what: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - of OpenCV
        """Call a function of OpenCV; `WireError` where it refuses what came."""
        try:
            return what(*given, **named)
        except self._cv2.error as error:
            raise WireError(f"no picture: {error.err}") from error


def write_png(picture: Picture) -> bytes:
    """Return a picture as a file; `MissingDependencyError` without OpenCV."""
    try:
        cv2: Any = importlib.import_module("cv2")
    except ImportError as error:
        raise MissingDependencyError("cv2", "ros", error) from error
    pixels = observation_wire.interleaved(picture)
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    data: bytes = cv2.imencode(".png", pixels)[1].tobytes()
    return data


def _sized(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
