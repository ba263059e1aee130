"""What is said of a policy on a command line: the options are called as the parameters are."""

from __future__ import annotations

import argparse

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.policy.options import AS_SAID, PolicyOptions
from realtime_rl.core.policy.said import LAYOUTS
from realtime_rl.policies.latency_text import duration_ns

NAMES = ("policy_inputs", "policy_output", "policy_normalize", "policy_layout",
         "policy_constants", "policy_goal", "policy_descriptors", "policy_foreign",
         "chunk_first_tick", "chunk_period")
"""Of the arguments, and of the parameters of an inference node."""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group(
        "what a policy file does not say itself", "as the parameters of an inference node; see "
        "`realtime-rl policy --help`")
    group.add_argument("--policy-inputs", action="append", default=[], metavar="INPUT=PART",
                       help="part of the observation that an input takes; hx=output:hy: a state")
    group.add_argument("--policy-output", default="", metavar="NAME|gaussian_tanh",
                       help="output that acts")
    group.add_argument("--policy-normalize", action="append", default=[],
                       metavar="'NAME scale=… mean=… std=…'",
                       help="of a part or input, or of the action ('action scale=… offset=…')")
    group.add_argument("--policy-layout", default=AS_SAID, choices=(AS_SAID, *LAYOUTS),
                       help="axes of pictures (default: as the file says, else nchw)")
    group.add_argument("--policy-constants", action="append", default=[],
                       metavar="INPUT=VALUES|FILE.npy", help="what an input is always fed with")
    group.add_argument("--policy-goal", default="", metavar="INPUT[=VALUES]",
                       help="input that takes the goal, and the values that it begins with")
    group.add_argument("--policy-descriptors", default="", metavar="FILE",
                       help="Isaac Lab's IO_descriptors.yaml")
    group.add_argument("--no-policy-foreign", dest="policy_foreign", action="store_false",
                       help="do not read what exploy and mjlab write into a file")
    group.add_argument("--chunk-first-tick", type=int, default=-1, choices=(-1, 0, 1),
                       help="tick after its observation's that a chunk's first row is for "
                            "(default: as the file says, else 1)")
    group.add_argument("--chunk-period", default="", metavar="TIME",
                       help="between the rows of a chunk, as 33ms (default: as the file says, "
                            "else the plant's)")


def of(args: argparse.Namespace, *, stack: int = 0, period_ns: int = 0) -> PolicyOptions:
    """Return what the options say; `ConfigError` for a period that is none."""
    try:
        chunk_period_ns = duration_ns(args.chunk_period) if args.chunk_period else 0
    except ValueError as error:
        raise ConfigError(f"--chunk-period: {error}") from error
    return PolicyOptions(
        tuple(args.policy_inputs), args.policy_output, tuple(args.policy_normalize),
        args.policy_layout, tuple(args.policy_constants), args.policy_goal,
        args.policy_descriptors, args.policy_foreign, args.chunk_first_tick, chunk_period_ns,
        stack, period_ns)
