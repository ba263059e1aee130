"""`realtime-rl robot`: try a contract on its robot, or begin one; nothing is commanded."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from realtime_rl import strict_json
from realtime_rl.bench.text import table
from realtime_rl.cli import robot_checks, robot_starter
from realtime_rl.cli.output import put, write
from realtime_rl.cli.robot_findings import Finding, Level
from realtime_rl.core.errors import ConfigError, MissingDependencyError, PolicyError
from realtime_rl.core.policy.options import PolicyOptions
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.robot.contract_parameters import OPEN
from realtime_rl.core.robot.facts import Facts
from realtime_rl.core.settings.inference import policy_options
from realtime_rl.files import make_parents, user_path
from realtime_rl.ros.scenario_file import read_robot
from realtime_rl.ros.scenario_settings import ROBOT, contract_of, section_of

_EPILOG = """examples:
  realtime-rl robot init --out arm.yaml
  realtime-rl robot check arm.yaml --png pictures --policy reach.onnx"""
_SCHEMA = 1
_MARKS = {Level.OK: "ok", Level.NOTE: "note", Level.WRONG: "WRONG"}
_SHOWN = 64
"""Values of a source that are printed; JSON has all."""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "robot", help="try a robot's contract, or begin one", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Listen to a robot, and say whether a contract fits it, or write one to begin "
                    "with. Nothing is commanded.")
    asked = parser.add_subparsers(dest="asked", metavar="WHAT", required=True)
    check = asked.add_parser(
        "check", help="whether a contract fits the robot",
        description="Listen for some seconds; say what was found of each topic, what the policy "
                    "would see, and what is wrong; status 1 when something is.")
    check.add_argument("contract", metavar="CONTRACT", help="parameter file with a section 'robot'")
    check.add_argument("--seconds", type=_seconds, default=5.0, metavar="S",
                       help="to listen (default: %(default)g)")
    check.add_argument("--png", metavar="DIR", help="write what the policy would see of cameras")
    check.add_argument("--policy", metavar="FILE", help="ONNX file: how it would be fed")
    check.add_argument("--json", metavar="FILE", help="write JSON; '-': print it instead")
    check.set_defaults(main=main, ask=_check, outputs=("json",))
    init = asked.add_parser(
        "init", help="a contract to begin with",
        description="Write a contract of the topics that there are; what a person must say, as "
                    "limits, is left open, so that no robot is driven by it as it is.")
    init.add_argument("--out", metavar="FILE", help="write it there; else it is printed")
    init.add_argument("--seconds", type=_seconds, default=3.0, metavar="S",
                      help="to listen (default: %(default)g)")
    init.set_defaults(main=main, ask=_init, outputs=("out",))


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.5 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is outside 0.5 … 3600")
    return value


def main(args: argparse.Namespace) -> int:
    """Run what was asked for; return its exit status."""
    try:
        return int(args.ask(args))
    except ImportError as error:
        raise MissingDependencyError(error.name or "rclpy", "ros", error) from error


def _check(args: argparse.Namespace) -> int:
    from realtime_rl.ros import robot_listening

    file = read_robot(user_path(args.contract))
    contract = contract_of(file.settings)
    said = policy_options(section_of(file.settings, "inference"))
    of_policy = fed(contract, args.policy, said) if args.policy else []
    facts = robot_listening.hear(contract, args.seconds, file.namespace,
                                 sim_time=file.settings[ROBOT].get("use_sim_time") is True)
    findings = [*robot_checks.examine(contract, facts), *of_policy]
    if args.png:
        findings += _pictures(facts, user_path(args.png))
    wrong = sum(finding.level is Level.WRONG for finding in findings)
    put(args, strict_json.dumps(_json(contract, facts, findings), indent=2) + "\n",
        "\n".join(_text(contract, facts, findings, wrong)))
    return 1 if wrong else 0


def _init(args: argparse.Namespace) -> int:
    from realtime_rl.ros import robot_survey

    if args.out and Path(args.out).exists():
        raise ConfigError(f"{args.out}: is there already; name another file")
    text = robot_starter.write(robot_survey.survey(args.seconds))
    if args.out:
        write(Path(args.out), text.encode())
        print(f"{args.out}: written; fill in what says {OPEN}, then: "
              f"realtime-rl robot check {args.out}")
    else:
        print(text, end="")
    return 0


def fed(contract: Contract, name: str, said: PolicyOptions | None = None) -> list[Finding]:
    """Say how each input of a policy is fed, of which `said` is said beside its file."""
    from realtime_rl.policies.compute import Compute
    from realtime_rl.policies.onnx_policy import OnnxPolicy
    from realtime_rl.runner.prepare import find_policy

    spec = contract.spec
    try:
        policy = OnnxPolicy.load(
            find_policy(name), (spec.observation, spec.actions), Compute("cpu"),
            options=replace(said or PolicyOptions(), period_ns=spec.period_ns))
    except PolicyError as error:
        return [Finding(Level.WRONG, "policy", str(error))]
    findings = [Finding(Level.OK, "policy", f"input {each.name!r} {list(each.shape)} is part "
                        f"'{spec.observation.parts[each.place]}' {each}"
                        + (f", {policy.stack} joined" if policy.stack > 1 else ""))
                for each in policy.fitted.inputs]
    if policy.action_history:
        findings.append(Finding(Level.OK, "policy", "input 'action_history' is the last "
                                f"{policy.action_history} actions, as they were sent"))
    taken = {each.place for each in policy.fitted.inputs}
    findings += [Finding(Level.NOTE, "policy", f"it does not look at '{part.name}'")
                 for place, part in enumerate(spec.observation.parts) if place not in taken]
    findings += [Finding(Level.NOTE, "policy", line) for line in policy.warnings]
    return [*findings, Finding(Level.OK, "policy", f"gives '{spec.actions}', "
                               f"{policy.alone_ns / 1e6:.1f} ms an inference, alone")]


def _pictures(facts: Facts, folder: Path) -> Iterator[Finding]:
    from realtime_rl.ros.robot_images import write_png

    for name, heard in facts.heard.items():
        if heard.picture is not None:
            path = folder / f"{name}.png"
            make_parents(path)
            write(path, write_png(heard.picture))
            yield Finding(Level.OK, f"source.{name}.image", f"what the policy sees: {path}")


def _text(contract: Contract, facts: Facts, findings: Sequence[Finding], wrong: int
          ) -> Iterator[str]:
    spec = contract.spec
    yield (f"{spec.name}: a tick every {contract.robot.period * 1e3:g} ms; listened for "
           f"{facts.seconds:g} s; can be heard from {facts.reach}")
    yield from (f"{_MARKS[each.level]:6} {each.where}: {each.text}" for each in findings)
    rows = list(_rows(contract, facts))
    if rows:
        yield ""
        yield table(["values, in the policy's order", "newest", "least", "most"],
                    rows[:_SHOWN])
        if len(rows) > _SHOWN:
            yield f"and {len(rows) - _SHOWN} more, which --json has"
    yield ""
    yield (f"{wrong} thing(s) are wrong" if wrong else
           "nothing is wrong; the robot is not commanded by this: realtime-rl run --robot does")


def _rows(contract: Contract, facts: Facts) -> Iterator[list[str]]:
    for spec in contract.sources:
        heard = facts.heard[spec.name]
        for name, *values in zip(spec.elements, heard.newest, heard.least, heard.most,
                                 strict=False):
            yield [f"{spec.name} {name}", *(f"{value + 0.0:.4g}" for value in values)]


def _json(contract: Contract, facts: Facts, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "schema": _SCHEMA, "robot": contract.robot.name, "period_s": contract.robot.period,
        "seconds": facts.seconds, "observation": str(contract.observation),
        "actions": str(contract.spec.actions),
        "findings": [{"level": each.level.word, "where": each.where, "text": each.text}
                     for each in findings],
        "sources": {spec.name: _source_json(spec.elements, facts, spec.name)
                    for spec in contract.sources}}


def _source_json(elements: Sequence[str], facts: Facts, name: str) -> dict[str, Any]:
    heard = facts.heard[name]
    return {"messages": len(heard.received_ns), "refused": sum(heard.refused.values()),
            "repeated": heard.repeated, "ages_s": heard.ages,
            "values": {element: value if math.isfinite(value) else None
                       for element, value in zip(elements, heard.newest.tolist(), strict=False)}}
