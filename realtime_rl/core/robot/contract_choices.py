"""Words that a robot's contract may say where it has a choice, and what each of them means."""

from __future__ import annotations

from realtime_rl.core.enumerations import Named


class Align(Named):
    """Which of a source's messages a tick takes."""

    HOLD = 0
    """The newest one at or before the tick."""
    NEAREST = 1
    """The one nearest in time, before or after."""
    LINEAR = 2
    """Between the two around the tick; never beyond the newest."""


class OnStale(Named):
    """What happens when the newest value of a source is older than its `max_age`."""

    STOP = 0
    """The robot stops, until it is released."""
    DEFAULT = 1
    """The tick has no observation: nobody infers on it."""
    MASK = 2
    """The value is repeated, and the input `<source>_valid` says 0."""


class Stamps(Named):
    """Which time a message is of."""

    MESSAGE = 0
    """The one in its header."""
    RECEIVED = 1
    """The one at which it was received here."""


class Mode(Named):
    """What an action's values are to the robot."""

    POSITION = 0
    """Positions [rad or m]."""
    VELOCITY = 1
    """Velocities [rad/s or m/s]."""
    EFFORT = 2
    """Torques or forces [N·m or N]."""
    DELTA = 3
    """Steps of a position, onto the last command [rad or m]."""


class Behaviour(Named):
    """What is sent where no action acts."""

    HOLD_LAST = 0
    """The last command, of positions; what still moves comes to rest within the limits."""
    HOLD_MEASURED = 1
    """The position that was measured when it began."""
    ZERO_VELOCITY = 2
    """Zeros, at once."""
    DECELERATE = 3
    """Velocities that go to zero as fast as `max_acceleration` allows."""
    SEND_NOTHING = 4
    """Nothing, so that the robot's own watchdog acts."""


class OnEnd(Named):
    """Where a robot is between two episodes."""

    HOLD = 0
    """Where it was."""
    POSE = 1
    """At `pose`, to which it goes within the limits."""


class Excess(Named):
    """What is done with an action that asks for more than the limits allow."""

    CLAMP = 0
    """Each element does as much of it as it may."""
    SCALE = 1
    """All elements of an action do the same share of their steps: its direction stays."""
    REJECT = 2
    """Nothing of it is done, of all actions: each does its `default`."""
