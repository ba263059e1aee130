"""What a bag's messages tell of the rows of chunks: the sizes of the seams.

The records of a run say which row acted, and not what the others held. Those are in the messages of
`action`, of which only the chunks that a seam asks for are decoded.
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator

from realtime_rl.bags import messages
from realtime_rl.bags.reader import Run
from realtime_rl.bags.storage import DamagedBagError, open_bag, recover_bag
from realtime_rl.bags.storage_files import RawMessage
from realtime_rl.core.figures.seams import Seams, SeamSizes
from realtime_rl.core.messages import joy_wire, wire

_STAMP_AT = 4
_SHORTEST = 12
_SECOND_NS = 1_000_000_000


def seam_sizes(run: Run) -> SeamSizes:
    """Return the sizes of a run's seams, as far as its bag has the chunks.

    Raises:
        BagError: the bag is not there any more, or broken in the middle.
    """
    seams = Seams(run.records.timesteps)
    if not seams.width:
        return {}
    for message in _actions(run):
        if len(message.cdr) < _SHORTEST or not seams.wants(_stamp_ns(message.cdr)):
            continue
        try:
            chunk = joy_wire.decode_chunk(messages.joy_from_cdr(message.cdr), seams.width)
        except wire.WireError:  # the actuator could not read it, either
            continue
        if chunk is not None:
            seams.take(chunk)
    return seams.sizes


def _actions(run: Run) -> Iterator[RawMessage]:
    bag = (recover_bag(run.path, DamagedBagError("its index is broken")) if run.recovered
           else open_bag(run.path))
    topic = posixpath.join(run.namespace or "/", "action")
    if bag.topics.get(topic) == messages.JOY:
        yield from bag.messages({topic})


def _stamp_ns(cdr: bytes) -> int:
    """Return the stamp of a message that begins with a header, without reading the rest."""
    seconds, nanoseconds = struct.unpack_from("<II" if cdr[1] else ">II", cdr, _STAMP_AT)
    return int(seconds) * _SECOND_NS + int(nanoseconds)
