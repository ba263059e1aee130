"""Reads a contract's sources: what is subscribed to, and which of its values are taken."""

from __future__ import annotations

from dataclasses import replace

from realtime_rl.core.errors import ConfigError
from realtime_rl.core.robot import fields, message_types, sections
from realtime_rl.core.robot.contract import SourceSpec
from realtime_rl.core.robot.contract_choices import Align, Stamps
from realtime_rl.core.robot.contract_parameters import Values, section, split


def source_of(name: str, values: Values) -> SourceSpec:
    """Read the section of a source; `ConfigError` says what is wrong, where, and what to do."""
    where = f"source.{name}"
    top, nested = split(values)
    image = nested.pop("image", None)
    if nested:
        raise ConfigError(f"{where}: unknown section {next(iter(nested))!r}; known: 'image'")
    config = section(sections.Source, top, where)
    for key in ("topic", "type"):
        if not getattr(config, key):
            raise ConfigError(f"{where}.{key}: absent")
    try:
        source_type = message_types.source(config.type)
        read_fields = tuple(fields.parse(text, source_type)
                            for text in config.fields or source_type.default)
    except ConfigError as error:
        raise ConfigError(f"{where}.{error}") from error
    _check_source(where, config, source_type, read_fields, image)
    if config.max_age <= 0:
        raise ConfigError(f"{where}.max_age: absent; give the seconds after which a value is "
                          "stale, as 0.05")
    if not source_type.has_header:
        config = replace(config, stamps=Stamps.RECEIVED.word)
    return SourceSpec(name, config, read_fields,
                      _image(where, image) if source_type.is_image else None)


def _check_source(where: str, config: sections.Source, source_type: message_types.SourceType,
                  read_fields: tuple[fields.Field, ...], image: Values | None) -> None:
    """Refuse what does not go together."""
    if image is not None and not source_type.is_image:
        raise ConfigError(f"{where}.image: {config.type} is no picture")
    if not read_fields and not source_type.is_image:
        raise ConfigError(f"{where}.fields: absent; name the values that the policy sees")
    wrapping = [each.text for each in read_fields if each.wraps]
    if config.align == Align.LINEAR.word and (wrapping or source_type.is_image):
        raise ConfigError(f"{where}.align: 'linear': nothing lies between two values of "
                          f"{wrapping[0] if wrapping else config.type!r}; use 'hold'"
                          + (", or '@gravity' or '@rot6d'" if wrapping else ""))
    if config.low >= config.high:
        raise ConfigError(f"{where}.low: {config.low:g} is not below high, {config.high:g}")


def _image(where: str, values: Values | None) -> sections.Image:
    image = section(sections.Image, values or {}, f"{where}.image")
    if not image.width or not image.height:
        raise ConfigError(f"{where}.image: width and height are absent; give the size in which "
                          "the policy sees it")
    return image
