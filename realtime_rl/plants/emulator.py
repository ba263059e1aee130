"""PyBoy without a window, sound or files: frames, buttons, memory and states."""

from __future__ import annotations

import io
from typing import cast

import numpy as np
from numpy.typing import NDArray

from realtime_rl.core.errors import PlantError
from realtime_rl.plants.libraries import load_library
from realtime_rl.plants.ram_values import Memory
from realtime_rl.plants.rom_files import Rom

FRAMES_PER_SECOND = 59.7275
_CRASH, _CRASH_CODE = 0x38, 0xFF
"""Where a processor ends that reads unwritten memory as a program: a call of itself, for ever."""


class Emulator:
    """One running console. Buttons stay down until `hold` lets go of them."""

    def __init__(self, rom: Rom, size: int = 84,
                 crop: tuple[int, int, int, int] | None = None) -> None:
        """Switch on, to draw `size` x `size` pixels; `PlantError` for an unknown cartridge.

        `crop`: left, top, width and height of what is drawn of the screen [px]; all of it.
        """
        self._shape = size, size
        left, top, width, height = crop or (0, 0, 160, 144)
        self._shown = slice(top, top + height), slice(left, left + width)
        pyboy, self._cv2 = load_library("pyboy", "plants"), load_library("cv2", "plants")
        self._error: type[Exception] = pyboy.utils.PyBoyException
        try:
            # from memory, not from its path: nothing is read or written beside the ROM
            self._pyboy = pyboy.PyBoy(io.BytesIO(rom.data), window="null", sound_emulated=False,
                                      log_level="ERROR")
        except (self._error, KeyError, IndexError) as error:
            raise PlantError(f"{str(rom.path)!r} cannot be emulated: {error}") from error
        self._pyboy.set_emulation_speed(0)
        if rom.has_clock:  # it would tell the host's time
            self._pyboy.rtc_lock_experimental(True)
        self.memory = cast(Memory, self._pyboy.memory)
        self._held: frozenset[str] = frozenset()

    @property
    def held(self) -> frozenset[str]:
        """The buttons that are down."""
        return self._held

    def hold(self, buttons: frozenset[str]) -> None:
        """Hold down these buttons and no other, from the next frame on."""
        if buttons == self._held:
            return
        for button in self._held - buttons:
            self._pyboy.button_release(button.lower())
        for button in buttons - self._held:
            self._pyboy.button_press(button.lower())
        self._held = buttons

    def run(self, frames: int) -> None:
        """Advance without drawing."""
        if frames:
            self._pyboy.tick(frames, False)

    def draw(self) -> NDArray[np.uint8]:
        """Advance one frame and return its picture: `(1, size, size)` uint8, 0 black, 255 white."""
        self._pyboy.tick(1, True)
        gray = self._cv2.cvtColor(self._pyboy.screen.ndarray, self._cv2.COLOR_RGBA2GRAY)
        picture = self._cv2.resize(gray[self._shown], self._shape,
                                   interpolation=self._cv2.INTER_AREA)
        return cast("NDArray[np.uint8]", picture[np.newaxis])

    def save(self) -> bytes:
        """Return the console's state; the held buttons are in it."""
        with io.BytesIO() as stream:
            self._pyboy.save_state(stream)
            return stream.getvalue()

    def load(self, state: bytes, held: frozenset[str] = frozenset()) -> None:
        """Go back to a state, in which `held` were down; `PlantError` when it is not one."""
        with io.BytesIO(state) as stream:
            try:
                self._pyboy.load_state(stream)
                rest = len(state) - stream.tell()
            except self._error as error:
                raise PlantError(f"not a PyBoy state of this ROM ({len(state)} bytes): "
                                 f"{error}") from error
        if rest:
            raise PlantError(f"not a PyBoy state of this ROM: it has {rest} bytes more, as of a "
                             "cartridge with more memory")
        self._held = held

    def astray(self, frames: int = 120) -> str:
        """Run on for so many frames; say what shows that this is no game at work, or nothing."""
        blank = 0
        for _ in range(frames):
            picture = self.draw()
            blank = 0 if picture.min() != picture.max() else blank + 1
        counter = self._pyboy.register_file.PC
        if counter == _CRASH and self.memory[_CRASH] == _CRASH_CODE:
            return "the processor has lost its way"
        return f"the picture stays blank for {blank} frames" if 2 * blank >= frames else ""

    def close(self) -> None:
        """Stop; battery-backed memory is not written anywhere."""
        self._pyboy.stop(save=False)
