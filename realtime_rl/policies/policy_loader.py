"""Loads policies for one plant by URI: what `HotSwap` calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from realtime_rl.core.enumerations import MergeRule
from realtime_rl.core.errors import PolicyError
from realtime_rl.core.messages.policy_uri import PolicyUri
from realtime_rl.core.policy import prefix
from realtime_rl.core.policy.fitting import Plant
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.policies.compute import Compute
from realtime_rl.policies.onnx_policy import OnnxPolicy
from realtime_rl.policies.policy_files import Limits
from realtime_rl.policies.stop import Stop


class Loader:
    """Loads the first policy of a process, and those that are to take its place."""

    def __init__(self, expected: Plant, compute: Compute | None = None, *,
                 options: PolicyOptions | None = None, limits: Limits | None = None,
                 own: str | None = None, workers: int = 1,
                 merge: MergeRule = MergeRule.NEWEST,
                 in_use: Callable[[], OnnxPolicy | None] = lambda: None) -> None:
        """Keep what `OnnxPolicy.load` needs beside the URI.

        Args:
            expected: observation and action space of the plant.
            compute: see `OnnxPolicy.load`, as `options` and `limits`.
            options: what is said beside the file.
            limits: where the files may be and how large.
            own: the URI that this host's own configuration names: that one needs no hash and may
                be anywhere. Any other was announced by anybody; `None`: all are this host's own.
            workers: of the whole graph: a recurrent policy has one.
            merge: how the actuator has chunks meet.
            in_use: returns the policy whose place is to be taken, if there is one.
        """
        self._expected = expected
        self._compute = compute or Compute()
        self._options = options or PolicyOptions()
        self._limits = limits or Limits()
        self._own = own
        self._workers = workers
        self._merge = merge
        self._in_use = in_use

    def __call__(self, uri: str, stop: Stop | None = None) -> OnnxPolicy:
        """Load the policy that `uri` names; errors as in `OnnxPolicy.load`.

        `PolicyError`, too, for one that anybody announced without its hash, for a recurrent one
        with several workers, for one that does not suit how chunks meet, and for one that takes or
        gives something else than the one in use.
        """
        parsed, limits = PolicyUri.parse(uri), self._limits
        if self._own in (None, uri):
            limits = replace(limits, root=None)
        elif limits.root is None:
            raise PolicyError(f"policy URI {uri!r}: no policies are taken, as there is no "
                              "policy_root, nor a policy to start from whose folder would be it")
        elif not parsed.sha256:
            raise PolicyError(f"policy URI {uri!r} has no hash; announce it with '#sha256=…', as "
                              "`realtime-rl export` writes it")
        current = self._in_use()
        policy = OnnxPolicy.load(parsed.path, self._expected, self._compute, parsed.sha256,
                                 options=self._options, limits=limits, stop=stop, before=current)
        if policy.recurrent and self._workers != 1:
            raise PolicyError(f"policy {str(parsed.path)!r} {policy.recurrent}, so one inference "
                              f"has to end before the next begins: set scenario.workers=1 instead "
                              f"of {self._workers}")
        problem = prefix.problem(self._merge, takes=policy.takes_prefix)
        if problem:
            raise PolicyError(f"policy {str(parsed.path)!r} {problem}")
        difference = "" if current is None else current.difference(policy)
        if difference:
            raise PolicyError(f"policy {str(parsed.path)!r} cannot take the place of version "
                              f"{current.version if current else 0}: {difference}; start the run "
                              "again with it")
        return policy
