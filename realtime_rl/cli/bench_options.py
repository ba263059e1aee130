"""What each verb of `realtime-rl bench` may be told, with examples."""

from __future__ import annotations

import argparse
from pathlib import Path

from realtime_rl.bench.live import COUNTER, MOST_RUNS
from realtime_rl.bench.scaling import LATENCIES
from realtime_rl.core.enumerations import Algorithm, Dealing, SlotSource
from realtime_rl.files import user_path

STAGGER = """examples:
  realtime-rl bench stagger --duration 60
  realtime-rl bench stagger --workers 72 --latency constant:1150ms --duration 60 --json -
  realtime-rl bench stagger --workers auto --latency lognormal:215ms,cv=0.3 --record runs/auto
  realtime-rl bench stagger --workers 20 --processes 4 --latency constant:200ms --learner
  realtime-rl bench stagger --latency none --workers 2 --plant pyboy --plant-option rom=catch \\
      --network impala:7 --set inference.threads=1"""
COMPARE = """examples:
  realtime-rl bench compare --latency lognormal:215ms,cv=0.05 --plot compare.svg
  realtime-rl bench compare --virtual --json - | jq '.rows[] | {name, inaction_fraction}'
  realtime-rl bench compare --workers 7 --latency constant:95ms --outlier 0"""
SCALING = """examples:
  realtime-rl bench scaling --plot scaling.svg
  realtime-rl bench scaling --latencies 1,10,100,596 --cv 0 --json -
  realtime-rl bench scaling --live 8,36,72 --duration 20"""
_COUNTER = " ".join(COUNTER)
_RUNS_FOR = """
CPU is the inference processes' CPU time over wall time after warm-up, in percent of one core;
memory is their resident memory together at its largest, what they share counted for each."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, what: str,
        epilog: str) -> argparse.ArgumentParser:
    """Add a verb, with what all of them may be told; `what` it measures is its help."""
    parser = verbs.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".",
                              epilog=epilog + (_RUNS_FOR if name == "stagger" else ""),
                              formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=20.0 if name != "stagger" else 30.0,
                        metavar="S", help="of each run, without its start (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE|-", help="write the figures as JSON")
    if name != "stagger":
        parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them: .svg or .png")
    group = parser.add_argument_group("the live graph")
    group.add_argument("--settle", type=float, default=10.0, metavar="S",
                       help="run first for so long, in which the schedule is found, and which "
                            "does not count (default: %(default)s)")
    group.add_argument("--plant", default="counter", metavar="NAME",
                       help="(default: %(default)s)")
    group.add_argument("--plant-option", action="append", default=[], metavar="KEY=VALUE",
                       help=f"of the plant; may be given again. The counter has {_COUNTER} here, "
                            "a small picture at a Game Boy's rate, unless they are given")
    group.add_argument("--network", default="mlp", metavar="NAME",
                       help="the policy's: mlp, small, keypoints, nature:K, impala:K or "
                            "impala_deep:K (default: %(default)s, untrained)")
    group.add_argument("--learner", action="store_true", help="learn meanwhile")
    group.add_argument("--max-stolen", type=float, metavar="PERCENT",
                       help="on a virtual machine: run again, at most "
                            f"{MOST_RUNS} times, when its host took more of the CPU time than "
                            "this (0.5 shows in the jitter); the calmest run counts")
    group.add_argument("--set", action="append", default=[], metavar="NODE.PARAMETER=VALUE",
                       help="override any parameter; may be given again")
    parser.set_defaults(outputs=("json", *(["plot"] * (name != "stagger"))))
    return parser


def add_stagger(parser: argparse.ArgumentParser) -> None:
    """Add what `bench stagger` may be told."""
    parser.add_argument("--workers", metavar="N|auto",
                        help="(default: as many as are planned for the latency)")
    parser.add_argument("--processes", type=int, default=1, metavar="P",
                        help="that share the workers (default: %(default)s)")
    parser.add_argument("--latency", default="lognormal:215ms,cv=0.05", metavar="SPEC",
                        help="emulated accelerator, or none (default: %(default)s)")
    parser.add_argument("--algorithm", choices=Algorithm.words(), default="max_time",
                        help="when a finished action leaves (default: max_time)")
    parser.add_argument("--dealing", choices=Dealing.words(), default="pooled",
                        help="who takes a slot: a free worker, or each its own (default: pooled)")
    parser.add_argument("--slot-source", choices=SlotSource.words(), default="tick",
                        help="what begins a slot: an observation, or a timer (default: tick)")
    parser.add_argument("--record", type=user_path, metavar="DIR",
                        help="keep the bag in this folder")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Add what `bench compare` may be told."""
    parser.add_argument("--latency", default="lognormal:215ms,cv=0.05", metavar="SPEC",
                        help="emulated accelerator (default: %(default)s)")
    parser.add_argument("--outlier", type=float, default=3.0, metavar="FACTOR",
                        help="one inference in the middle takes so many times as long; 0: none "
                             "does (default: %(default)s)")
    parser.add_argument("--workers", type=int, metavar="N",
                        help="for every algorithm (default: as many as are planned for each)")
    parser.add_argument("--virtual", action="store_true",
                        help="in virtual time, by the real core without ROS: seconds, not minutes")


def add_scaling(parser: argparse.ArgumentParser) -> None:
    """Add what `bench scaling` may be told."""
    parser.add_argument("--latencies", default=",".join(map(str, LATENCIES)), metavar="TICKS,…",
                        help="inference times in virtual time (default: %(default)s)")
    parser.add_argument("--cv", type=float, default=0.05, metavar="CV",
                        help="coefficient of variation of the inference times (default: "
                             "%(default)s)")
    parser.add_argument("--target", type=float, default=0.01, metavar="SHARE",
                        help="inaction that is allowed (default: %(default)s)")
    parser.add_argument("--live", metavar="N,…",
                        help="search live as well, where so many workers are planned")
