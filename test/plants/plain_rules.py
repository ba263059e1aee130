"""What a rules file says, read plainly out of its YAML: a second reading, to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Spec = Mapping[str, Any]
Tick = bytearray


def number(spec: Spec, memory: Tick, address: int) -> int:
    """Read one value."""
    kind = spec["type"]
    if kind in ("bcd", "bcd_be", "digits"):
        data = memory[address:address + spec["bytes"]]
        if kind == "digits":
            zero = spec.get("zero", 0x30)
            return int("".join(str(b - zero) if zero <= b <= zero + 9 else "0" for b in data))
        total = 0
        for byte in data if kind == "bcd_be" else reversed(data):
            total = total * 100 + byte // 16 * 10 + byte % 16
        return total
    size = {"8": 1, "16": 2, "24": 3, "32": 4}[kind.strip("ulbei")]
    value = int.from_bytes(memory[address:address + size], "big" if kind.endswith("be")
                           else "little", signed=kind.startswith("i"))
    if "mask" in spec:
        value &= spec["mask"]
    return bin(value).count("1") if spec.get("count_bits") else value


class Plain:
    """One episode of some rules."""

    def __init__(self, rules: Spec, memory: Tick) -> None:
        self.rules = rules
        self.before = bytes(memory)
        self.counted = dict.fromkeys(rules.get("counters", {}), 0)
        self.counted_before = dict(self.counted)

    def read(self, spec: Spec, memory: Tick) -> Any:
        """Read a value: a number, or a list of them."""
        if "counter" in spec:
            return (self.counted_before if memory is self.before else self.counted)[spec["counter"]]
        if "count" not in spec:
            return number(spec, memory, spec["address"])
        size = spec.get("bytes") or {"8": 1, "16": 2, "24": 3, "32": 4}[
            spec["type"].strip("ulbei")]
        found = [number(spec, memory, spec["address"] + index * spec.get("stride", size))
                 for index in range(spec["count"])]
        folds: dict[str, Callable[[list[int]], int]] = {"sum": sum, "min": min, "max": max}
        return folds[spec["join"]](found) if spec["join"] in folds else found

    def change(self, spec: Spec, now: int, then: int) -> int:
        """Return how far a value went, the shorter way round."""
        if "modulo" not in spec:
            return now - then
        m = spec["modulo"]
        return min(((now - then) % m + turn for turn in (0, -m)), key=lambda d: (abs(d), -d))

    def happened(self, spec: Spec, now: int, then: int) -> bool:
        """Say whether a number did what an event says."""
        kind = spec["event"]
        if kind == "changes":
            return now != then
        if kind == "becomes":
            to = spec["to"] if isinstance(spec["to"], list) else [spec["to"]]
            return now in to and now != then
        moved = self.change(spec, now, then)
        if "by" in spec:
            return moved == (spec["by"] if kind == "rises" else -spec["by"])
        if "to" in spec:
            return (then < spec["to"] <= now) if kind == "rises" else (now <= spec["to"] < then)
        return moved > 0 if kind == "rises" else moved < 0

    def compared(self, spec: Spec, value: int) -> bool:
        """Say whether a number is as a comparison says."""
        limit = spec["value"]
        among = limit if isinstance(limit, list) else [limit]
        least, most = min(among), max(among)
        return {"==": value == limit, "!=": value != limit, "<": value < least,
                "<=": value <= least, ">": value > most, ">=": value >= most,
                "in": value in among, "not in": value not in among}[spec["op"]]

    def condition(self, spec: Any, memory: Tick) -> int:
        """Say whether a condition holds, or of how many elements."""
        if isinstance(spec, list):
            return int(all(self.condition(part, memory) for part in spec))
        if "any" in spec:
            return int(any(self.condition(part, memory) for part in spec["any"]))
        if "all" in spec:
            return int(all(self.condition(part, memory) for part in spec["all"]))
        if "not" in spec:
            return int(not self.condition(spec["not"], memory))
        now = self.read(spec, memory)
        then = self.read(spec, self.before)  # type: ignore[arg-type]
        pairs = list(zip(now, then, strict=True)) if isinstance(now, list) else [(now, then)]
        truths = [self.happened(spec, *pair) if "event" in spec else self.compared(spec, pair[0])
                  for pair in pairs]
        join = spec.get("join")
        return sum(truths) if join == "each" else int(all(truths) if join == "all" else any(truths))

    def measure(self, spec: Spec, memory: Tick) -> int:
        """Return how much a rule gives, before its weight."""
        if "when" in spec and not self.condition(spec["when"], memory):
            return 0
        if any(key in spec for key in ("op", "event", "any", "all", "not")):
            return self.condition(spec, memory)
        now = self.read(spec, memory)
        if spec.get("take", "difference") == "level":
            return int(now)
        return self.change(spec, now, self.read(spec, self.before))  # type: ignore[arg-type]

    def tick(self, memory: Tick) -> tuple[float, bool, list[int]]:
        """Return reward, end and counters of the next tick."""
        for name, spec in self.rules.get("counters", {}).items():
            self.counted[name] += self.measure(spec, memory)
        reward = 0.0
        for spec in self.rules.get("rewards", []):
            terms = [(term, self.measure(term, memory)) for term in spec.get("first", [spec])]
            hit = next(((term, found) for term, found in terms if found), None)
            reward += hit[0].get("weight", 1) * hit[1] if hit else 0
        over = any(self.condition({k: v for k, v in end.items() if k != "when"}, memory)
                   and ("when" not in end or self.condition(end["when"], memory))
                   for end in self.rules.get("ends", []))
        self.before, self.counted_before = bytes(memory), dict(self.counted)
        return reward, bool(over), list(self.counted.values())
