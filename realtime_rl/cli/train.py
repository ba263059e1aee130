"""`realtime-rl train`: learn in virtual time, one training or a whole table of them."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from realtime_rl import strict_json
from realtime_rl.cli import train_result
from realtime_rl.cli.output import put, say_about, write
from realtime_rl.core.errors import ConfigError, MissingDependencyError, PlantError, choices
from realtime_rl.core.settings.config import build, parameters
from realtime_rl.core.settings.dqn_config import DqnConfig
from realtime_rl.files import user_path
from realtime_rl.plants import registry
from realtime_rl.simulate.loop import INTERACTIONS, Delay

if TYPE_CHECKING:
    from realtime_rl.learning.process_group import ProcessGroup
    from realtime_rl.simulate.demonstrations import Demonstrations
    from realtime_rl.simulate.train import Training
    from realtime_rl.simulate.training_run import Settings

_EPILOG = """examples:
  realtime-rl train --plant pyboy --option rom=catch --delay 6 --ticks 40000 --out runs/catch
  realtime-rl train --plant pyboy --option rom=catch --delay 6 --interaction sequential \\
      --set learner.n_step=4 --set learner.network=nature --evaluate 20 --out runs/sequential
  realtime-rl train --plant pyboy --option rom=catch --ticks 200000 --checkpoint-every 5000 \\
      --keep-replay --out runs/long --resume      # the same command again goes on
  realtime-rl train --plant pyboy --option rom=catch --delay 6 --demonstrations runs/played \\
      --pretrain 16000 --set learner.epsilon_start=0.1 --out runs/taught
  torchrun --standalone --nproc-per-node 2 --no-python realtime-rl train \\
      --plant pyboy --option rom=catch --out runs/two   # gradients averaged over two plants
  realtime-rl train --sweep figure5 --cpu --jobs 2 --out runs/figure5
  realtime-rl train --sweep figure5 --option tetris.rom=~/roms/tetris.gb --out runs/tetris"""
_OF_ONE = ("plant", "delay", "interaction", "ticks", "seed", "set", "updates_per_tick", "learners",
           "threads", "checkpoint_every", "evaluate", "demonstrations", "pretrain", "json")
"""Arguments of one training; a sweep's file says them."""
_RANK_SEED = 1_000_003
"""What the seeds of two processes that learn in step differ by, at least."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    parser = subparsers.add_parser(
        "train", help="learn in virtual time: no ROS, no clock", epilog=_EPILOG,
        description="Learn a policy in virtual time: the action of observation k acts at tick "
                    "k + delay. The same seed gives the same weights, bit for bit.",
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=user_path, required=True, metavar="DIR",
                        help="folder of the policy, the returns and the checkpoints")
    parser.add_argument("--plant", metavar="NAME", help="see `realtime-rl plants`")
    parser.add_argument("--option", "--plant-option", action="append", default=[],
                        metavar="KEY=VALUE", help="of the plant; may be given again. With --sweep: "
                        "PART.KEY=FILE, a file of yours that a part of the table needs")
    parser.add_argument("--delay", type=int, default=1, metavar="TICKS",
                        help="from observation to action; 1: the world seems to wait (default)")
    parser.add_argument("--interaction", choices=INTERACTIONS, default="asynchronous",
                        help="an inference at every tick, or one after another with the default "
                             "policy in between (default: %(default)s)")
    parser.add_argument("--ticks", type=int, default=40_000, metavar="N",
                        help="to train for (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of plant and learner (default: 0)")
    parser.add_argument("--set", action="append", default=[], metavar="learner.PARAMETER=VALUE",
                        help="a parameter of the learner; may be given again")
    parser.add_argument("--updates-per-tick", type=float, default=1.0, metavar="U",
                        help="gradient updates a tick (default: %(default)s)")
    parser.add_argument("--learners", type=int, default=1, metavar="K",
                        help="as of K learners beside one another: each gradient is applied K - 1 "
                             "updates after it was begun (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, metavar="N",
                        help="torch's (default: 1); another number rounds otherwise")
    parser.add_argument("--checkpoint-every", type=int, default=10_000, metavar="TICKS",
                        help="0: at the end only (default: %(default)s)")
    parser.add_argument("--keep-replay", action="store_true",
                        help="write what was experienced into the checkpoints as well: large, "
                             "and then a resumed training ends as one that was never stopped")
    parser.add_argument("--resume", action="store_true",
                        help="go on from the checkpoint in DIR, when there is one")
    parser.add_argument("--evaluate", type=int, default=0, metavar="EPISODES",
                        help="play so many greedily at the end")
    parser.add_argument("--demonstrations", type=user_path, nargs="+", default=[],
                        metavar="BAG|DATASET",
                        help="recorded runs of the same plant, as of a person who played, or what "
                             "`realtime-rl dataset` made of them: they are in the replay from the "
                             "beginning")
    parser.add_argument("--pretrain", type=int, default=0, metavar="N",
                        help="gradient updates on the demonstrations before the first tick "
                             "(default: 0)")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    sweep = parser.add_argument_group("a table of trainings")
    sweep.add_argument("--sweep", metavar="FILE", help="every cell of this table instead: a YAML "
                       "file, or figure4, figure5, figure6, stochasticity, delay or learners; "
                       "goes on where it stopped")
    size = sweep.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const="quick", dest="size", default="",
                      help="the table's smallest size, which shows that it runs")
    size.add_argument("--cpu", action="store_const", const="cpu", dest="size",
                      help="the size that answers its question on two cores within a night")
    sweep.add_argument("--jobs", type=int, default=1, metavar="N",
                       help="trainings at a time (default: 1)")
    parser.set_defaults(main=main, default_of=parser.get_default, outputs=("json",))


def main(args: argparse.Namespace) -> int:
    """Train; errors are `RealtimeRlError`."""
    if args.sweep is not None:
        from realtime_rl.cli import sweep

        if _one_of_several():
            raise ConfigError("--sweep: torchrun is for one training; take --jobs N here")
        given = [name for name in _OF_ONE if getattr(args, name) != args.default_of(name)]
        if given:
            raise ConfigError("--sweep: what is trained stands in its file; leave "
                              f"{', '.join('--' + name.replace('_', '-') for name in given)} out")
        return sweep.main(args)
    if args.plant is None:
        raise ConfigError("--plant: say which; `realtime-rl plants` lists them")
    try:
        from realtime_rl.learning import process_group
    except ImportError as error:
        raise MissingDependencyError(error.name or "torch", "learn", error) from error
    if not _one_of_several():
        return _train(args, None)
    others = process_group.ProcessGroup()
    try:
        return _train(args, others)
    finally:
        others.close()


def _one_of_several() -> bool:
    """Whether torchrun started this process, and others."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def _train(args: argparse.Namespace, group: ProcessGroup | None) -> int:
    from realtime_rl.cli.train_view import TrainView
    from realtime_rl.learning import checkpoint, torch_process
    from realtime_rl.simulate.training_run import Plan, run

    settings, folder = _settings(args), args.out
    reports = group is None or group.rank == 0
    if group is not None:
        settings = _part(settings, group)
        folder = folder if reports else folder / f"rank-{group.rank}"
    if args.resume and not checkpoint.exists(folder):
        print(f"no checkpoint in {str(folder)!r} yet: begins anew", file=sys.stderr)
    torch_process.prepare(settings.threads)
    view = TrainView(args.ticks, silent=not reports)
    plant = registry.make(settings.plant, settings.options, settings.seed)
    if plant.spec.warning:
        plant.close()
        raise PlantError(plant.spec.warning)
    if reports:
        say_about(plant.spec)
    try:
        with _until_asked_to_stop() as asked, view.shown():
            def stop() -> bool:
                return bool(asked) if group is None else group.any(bool(asked))

            plan = Plan(args.ticks, args.checkpoint_every, args.keep_replay, args.resume, stop,
                        view)
            training = run(settings, plan, plant, folder, group)
    finally:
        plant.close()
    if training.tick < args.ticks:
        again = "" if args.resume else " with --resume"
        print(f"stopped at tick {training.tick} of {args.ticks}; the same command{again} goes on",
              file=sys.stderr)
        return 130
    if reports:
        _report(args, settings, training)
    return 0


def _part(settings: Settings, group: ProcessGroup) -> Settings:
    """Return what this process of a group does: the same, with seeds of its own."""
    apart = group.rank * _RANK_SEED
    if settings.learner.device == "cuda":
        raise ConfigError("--set learner.device=cuda: processes of torchrun learn on the CPU; "
                          "leave it out, or train in one process")
    return replace(settings, seed=settings.seed + apart, processes=group.size,
                   learner=replace(settings.learner, seed=settings.learner.seed + apart,
                                   device="cpu"))


def _report(args: argparse.Namespace, settings: Settings, training: Training) -> None:
    from realtime_rl.cli.train_view import EvaluationView

    document = train_result.document(args, settings, training, EvaluationView(args.evaluate))
    text = strict_json.dumps(document, indent=2) + "\n"
    write(args.out / "result.json", text.encode())
    train_result.draw(args, training)
    put(args, text, train_result.sentence(args, document))


def _settings(args: argparse.Namespace) -> Settings:
    from realtime_rl.simulate.training_run import Settings

    for name, value, least in (("seed", args.seed, 0), ("threads", args.threads, 1),
                               ("evaluate", args.evaluate, 0), ("learners", args.learners, 1)):
        if value < least:
            raise ConfigError(f"--{name} {value!r} must be {least} or more")
    if not (math.isfinite(args.updates_per_tick) and args.updates_per_tick >= 0.0):
        raise ConfigError(f"--updates-per-tick {args.updates_per_tick!r} must be 0 or more")
    delay = Delay(args.delay, args.interaction)
    return Settings(args.plant, registry.parse_options(args.option), delay,
                    learner(args.set, args.seed), args.seed, args.updates_per_tick, args.threads,
                    _demonstrations(args, delay), learners=args.learners)


def _demonstrations(args: argparse.Namespace, delay: Delay) -> Demonstrations | None:
    if not args.demonstrations:
        if args.pretrain:
            raise ConfigError("--pretrain: there is nothing to learn from before the first tick; "
                              "give --demonstrations BAG")
        return None
    from realtime_rl.simulate import demonstrations

    found = demonstrations.read(args.demonstrations, args.pretrain, delay)
    counts = found.figures()
    for run in found.runs:
        for warning in run.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    print(f"demonstrations: {counts['ticks']} ticks, {counts['operator_ticks']} of them a "
          f"person's, {counts['missing_ticks']} not recorded", file=sys.stderr)
    return found


def learner(words: list[str], seed: int) -> DqnConfig:
    """Read `learner.parameter=value` words; `ConfigError` names what is wrong and what is known."""
    known = parameters(DqnConfig)
    values: dict[str, object] = {"seed": seed}
    for word in words:
        name, sign, text = word.partition("=")
        section, _, key = name.strip().partition(".")
        if not sign or section != "learner":
            raise ConfigError(f"--set {word!r}: write it as 'learner.parameter=value'")
        if key not in known:
            raise ConfigError(f"--set {word!r}: unknown parameter {key!r}; known: "
                              f"{choices(known)}")
        values[key] = known[key].parse(text.strip())
    return build(DqnConfig, values)


@contextmanager
def _until_asked_to_stop() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of ending; a second SIGINT ends at once."""
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        del frame
        asked.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
