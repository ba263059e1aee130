"""Options of the plant `mujoco`, and the files that they name."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from realtime_rl import yaml_loader
from realtime_rl.core.errors import ConfigError, PlantError, choices
from realtime_rl.core.robot import contract_checks, contract_reading
from realtime_rl.core.robot.contract import Contract
from realtime_rl.core.settings.config import parameter
from realtime_rl.files import user_path

_PACKAGE = "package://"
_NODE = "robot"


@dataclass(frozen=True, slots=True)
class MujocoOptions:
    """A model, the contract that is kept with it, and where targets are."""

    contract: str = parameter(
        "", "file with the robot's contract, in its section `robot`: names, limits, period, what "
        "is observed, asked for and earned", path=True)
    model: str = parameter(
        "", "the robot's MJCF: a file, or package://NAME/FILE of a Python package", path=True)
    places: str = parameter(
        "", "sites, bodies or the target that sources are about, where they are called otherwise: "
        "'tip=gripperframe goal=target'")
    drive: str = parameter(
        "", "for the elements vx and wz: joints of the left and the right wheel, their radius and "
        "distance [m]: 'left_wheel_joint right_wheel_joint 0.1 0.34'")
    scan: str = parameter(
        "72 0.12 3.5 1", "of a LaserScan: rays, nearest and farthest [m], and the group of geoms "
        "that it sees")
    target: str = parameter(
        "reach", "where targets are: reach, where the site `tip` can be brought; ring, on the "
        "floor around a base; or one place [m], as '0.2 0.1 0.15'")
    tip: str = parameter("", "the site that is to reach targets; empty: the last one of the model")
    moving: str = parameter("", "joints that are needed to reach a target; empty: all that the "
                                "contract commands")
    reach: float = parameter(0.4, "how far from the start targets are: a share of the joints' "
                                  "ranges", low=0.0, high=1.0)
    noise: float = parameter(0.0, "standard deviation of the joints' measured positions", low=0.0,
                             unit="rad or m")


def find_model(text: str) -> Path:
    """Return the file of a model; `PlantError` where there is none."""
    if not text:
        raise PlantError("plant 'mujoco': option model is absent; give the robot's MJCF")
    path = _in_package(text) if text.startswith(_PACKAGE) else user_path(text)
    if not path.is_file():
        raise PlantError(f"plant 'mujoco': model {text!r}: there is no such file")
    return path


def _in_package(text: str) -> Path:
    package, _, file = text.removeprefix(_PACKAGE).partition("/")
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    if found is None or found.origin is None:  # nothing of it is imported
        raise PlantError(f"plant 'mujoco': model {text!r}: the Python package {package!r} is not "
                         f"installed; fix: pip install {package.replace('_', '-')}")
    return Path(found.origin).parent / file


def read_contract(text: str) -> Contract:
    """Read the contract in a parameter file; `PlantError` names the file and what is wrong."""
    if not text:
        raise PlantError("plant 'mujoco': option contract is absent; give the file with the "
                         "robot's contract")
    path = user_path(text)
    try:
        content = yaml_loader.load(path.read_text(encoding="utf-8"))
        contract = contract_reading.read(_section(content))
        contract_checks.check(contract)
    except OSError as error:
        raise PlantError(f"contract {text!r} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PlantError(f"contract {text!r}: {' '.join(str(error).split())}") from error
    except ConfigError as error:
        raise PlantError(f"contract {text!r}: {error}") from error
    for name, reward in contract.rewards.items():
        if reward.topic:
            raise PlantError(f"contract {text!r}: reward.{name} comes on a topic; the plant "
                             "'mujoco' has rules only: give `of`, and `to`")
    return contract


def _section(content: object) -> Mapping[str, object]:
    """Return the parameters of the one node `robot` that a file has."""
    sections = content if isinstance(content, Mapping) else {}
    found = [name for name in sections if str(name).rpartition("/")[2] == _NODE]
    if len(found) != 1:
        raise ConfigError(f"{len(found)} sections '{_NODE}:', of {choices(sections) or 'none'}; "
                          "one is needed")
    body = sections[found[0]]
    values = body.get("ros__parameters") if isinstance(body, Mapping) else None
    if not isinstance(values, Mapping):
        raise ConfigError(f"'{found[0]}:' has no 'ros__parameters:' with values")
    return values


def words(text: str, option: str) -> dict[str, str]:
    """Read `a=b c=d`; `PlantError`."""
    found = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise PlantError(f"plant 'mujoco', option {option}: {word!r}: write it like "
                             "'tip=gripperframe'")
        found[name] = value
    return found
