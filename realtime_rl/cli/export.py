"""`realtime-rl export`: write a policy that fits a plant, for a run to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime_rl.core.errors import ConfigError, choices
from realtime_rl.core.settings.config import Value, parameters
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.files import user_path
from realtime_rl.plants import registry
from realtime_rl.runner.first_policy import FirstPolicy, write

_EPILOG = """examples:
  realtime-rl export --plant pyboy --plant-option rom=catch first.onnx
  realtime-rl export --plant pyboy --plant-option rom=catch --network impala:7 10M.onnx
  realtime-rl export --plant pyboy --plant-option rom=catch --set algorithm=rainbow first.onnx
  realtime-rl export --plant pyboy --plant-option rom=catch --weights trained.onnx first.onnx"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "export", help="write a policy to start from", epilog=_EPILOG,
        description="Write an ONNX policy that fits a plant, untrained or with the weights of "
                    "another one. A learner with the same network, stack and seed starts from "
                    "the same untrained weights.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT.onnx", help="the file to write")
    parser.add_argument("--plant", required=True, metavar="NAME",
                        help="see `realtime-rl plants`")
    parser.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                        help="of the plant; may be given again")
    parser.add_argument("--network", default="auto", metavar="NAME",
                        help="small, keypoints, mlp, nature:K, impala:K or impala_deep:K; auto: "
                             "small for pictures, mlp for all else (default)")
    parser.add_argument("--stack", type=int, default=4, metavar="N",
                        help="observations joined for the network (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (default: 0)")
    parser.add_argument("--set", action="append", default=[], metavar="[learner.]PARAMETER=VALUE",
                        help="another of the learner's parameters; may be given again")
    parser.add_argument("--weights", type=user_path, metavar="FILE.onnx",
                        help="a policy of the same network whose weights it gets; without: those "
                             "of --seed")
    parser.set_defaults(main=main, outputs=("out",))


def main(args: argparse.Namespace) -> int:
    """Write the policy and print its URI; errors are `RealtimeRlError`."""
    learner = _learner(args)
    spec = registry.spec(args.plant, args.plant_option)
    print(write(FirstPolicy.of(spec, str(args.out), learner, str(args.weights or ""))))
    return 0


def _learner(args: argparse.Namespace) -> dict[str, Value]:
    """Read the learner's parameters; `ConfigError` for a name or a value that is not allowed."""
    known = parameters(DqnConfig)
    values: dict[str, Value] = {
        "network": args.network, "stack": args.stack, "seed": args.seed}
    for word in args.set:
        name, _, text = word.removeprefix("learner.").partition("=")
        if name not in known:
            raise ConfigError(f"--set {word!r}: unknown parameter {name!r}; known: "
                              f"{choices(known)}")
        values[name] = known[name].parse(text)
    return values
