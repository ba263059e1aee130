"""Tries the policies that a run begins with as its nodes will, before any of them starts."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from realtime_rl import strict_json
from realtime_rl.core.errors import PolicyError, RealtimeRlError
from realtime_rl.core.settings.config import Value, build, parameters
from realtime_rl.core.settings.inference import InferenceParameters, schedule_of
from realtime_rl.policies.host import InferenceHost, Surroundings, threads_hang
from realtime_rl.ros.graph import NodeSpec

_DECIDES = ("policy", "observation", "actions", "stack", "provider", "threads", "sessions",
            "refit", "batch", "cuda_graph", "tensorrt_cache", "tensorrt_fp16", "workers",
            "period_ns",
            *(name for name in parameters(InferenceParameters)
              if name.startswith(("policy_", "chunk_"))))
"""Parameters of an inference node that decide whether it can use its policy."""


@contextmanager
def tried(nodes: Iterable[NodeSpec]) -> Iterator[None]:
    """Load and warm up the policies of `nodes`, beside what is done meanwhile.

    In a process of its own: what is loaded does not stay in this one. In the end `PolicyError`
    says in one line what keeps a node from using its policy.
    """
    different = {tuple(node.parameters[name] for name in _DECIDES): node.parameters
                 for node in nodes if node.parameters.get("policy")}
    if not different:
        yield
        return
    asked = strict_json.dumps_exactly([_own(each) for each in different.values()])
    with subprocess.Popen([sys.executable, "-m", __name__, asked], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as child:
        try:
            yield
            words = child.communicate()[1].strip().splitlines()
        finally:
            child.kill()
    if child.returncode != 0:
        raise PolicyError(words[-1] if words else
                          f"the policy's trial ended with status {child.returncode}")


def _own(values: dict[str, Value]) -> dict[str, Value]:
    """Return those of an inference node that are not every node's of ROS 2."""
    return {name: value for name, value in values.items()
            if name in parameters(InferenceParameters)}


def _try(config: InferenceParameters) -> str:
    """Open and close what an inference node opens; return why that fails, or nothing."""
    quiet = logging.Logger("trial", logging.CRITICAL)
    host = InferenceHost(config, Surroundings("trial", quiet, lambda: None))
    problem = "" if host.open(schedule_of(config)) else host.failure
    host.close()
    return problem


def _main(text: str) -> str:
    try:
        return next(filter(None, (_try(build(InferenceParameters, each))
                                  for each in strict_json.loads(text))), "")
    except RealtimeRlError as error:
        return str(error)


if __name__ == "__main__":
    said = _main(sys.argv[1])
    if threads_hang():
        print(said, file=sys.stderr, flush=True)
        os._exit(1)  # the interpreter's own end would meet them in what it takes down
    sys.exit(said or 0)
