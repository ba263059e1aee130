"""How a rules file says where a value stands."""

from __future__ import annotations

from collections.abc import Collection

from realtime_rl.plants.ram_values import ASCII_ZERO, KINDS, LAST_ADDRESS, MOST_BYTES, Cell
from realtime_rl.plants.rule_values import JOINS, MOST_ELEMENTS, Value
from realtime_rl.plants.symbols import Symbols
from realtime_rl.plants.yaml_node import YamlNode

CELL = ("address", "type", "bytes", "mask", "count_bits", "zero")
ARRAY = ("count", "stride")
VALUE = (*CELL, *ARRAY, "join", "modulo", "counter")
_MOST_MODULO = 2**32


class ValueParts:
    """Reads values, with the names of addresses and counters that the file may use."""

    def __init__(self, symbols: Symbols) -> None:
        """Take the symbols; counters become known as they are read."""
        self._symbols = symbols
        self.counters: Collection[str] = ()
        """Names that `counter` may say."""

    def cell(self, node: YamlNode) -> Cell:
        """Read one value in memory."""
        kind = node.choice("type", KINDS)
        size = node.integer("bytes", 1, MOST_BYTES) if "bytes" in node else None
        mask = node.integer("mask", 1, 2**32 - 1) if "mask" in node else -1
        zero = node.integer("zero", 0, 246) if "zero" in node else ASCII_ZERO
        if "zero" in node and kind != "digits":
            raise node.refused("zero", f"it is of the type 'digits', not of {kind!r}")
        address = self._address(node)
        with node.at("address"):
            return Cell.of(address, kind, size, mask=mask, bits=node.flag("count_bits"), zero=zero)

    def _address(self, node: YamlNode) -> int:
        name = node.value("address")
        if not isinstance(name, str):
            return node.integer("address", 0, LAST_ADDRESS)
        with node.at("address"):
            return self._symbols.address(name)

    def shape(self, node: YamlNode) -> tuple[int, int]:
        """Read how many elements an array has, and how far they are apart."""
        return (node.integer("count", 1, MOST_ELEMENTS),
                node.integer("stride", 1, LAST_ADDRESS) if "stride" in node
                else self.cell(node).size)

    def value(self, node: YamlNode) -> Value:
        """Read a value of memory, one number or many, or a counter."""
        if "counter" in node:
            return self._counter(node)
        cell = self.cell(node)
        modulo = node.integer("modulo", 2, _MOST_MODULO) if "modulo" in node else 0
        if "count" not in node:
            for key in ("stride", "join"):
                if key in node:
                    raise node.refused(key, "it is of an array, which has a count")
            return Value((cell,), modulo=modulo)
        count, stride = self.shape(node)
        join = node.choice("join", JOINS)
        with node.at("count"):
            return Value.array(cell, count, stride, join, modulo)

    def _counter(self, node: YamlNode) -> Value:
        for key in VALUE[:-1]:
            if key in node:
                raise node.refused(key, "a counter has none: it is no place in memory")
        return Value(counter=node.choice("counter", self.counters))

    def integers(self, node: YamlNode, key: str, low: int, high: int) -> tuple[int, ...]:
        """Read an integer, or a list of some."""
        if not isinstance(node.value(key), list):
            return (node.integer(key, low, high),)
        items = node.items(key)
        wanted = tuple(item for item in items if type(item) is int and low <= item <= high)
        if not items or len(wanted) != len(items):
            raise node.error(key, items, f"a list of integers in {low} … {high}")
        return wanted
