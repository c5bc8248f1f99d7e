"""What a receiver does wrong on purpose: one fault, and the script that says which is due.

Knows names, parameters and when a fault is due. Must not know sockets or bulk bodies: the
connection and the bulk routes act on what is said here. The clock comes in as an argument.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

ON_REQUEST: Final = frozenset({"cut_request", "black_hole", "refuse"})
"""Decided when the head of a request is read: its rows are not applied."""

ON_ROWS: Final = frozenset({"status", "items"})
"""Whole requests or single rows that are refused, and not applied."""

ON_REPLY: Final = frozenset(
    {"delay", "lose_reply", "truncate_reply", "garbage", "missing_items", "extra_items", "drip"}
)
"""The rows are applied; the reply is late, wrong or never arrives."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and when.

    do:
        status          the whole request gets `status`, with Retry-After if `retry_after_s`;
                        `early`: before its body was read
        items           each `every`-th row (or each that contains `where`) gets `status`, `kind`;
                        with `failure_store` the row is stored and marked
        delay           the reply comes `seconds` later
        cut_request     the connection is reset when `bytes` of the body have come
        lose_reply      rows are applied, then the connection is reset
        truncate_reply  the connection ends after `bytes` of the reply's body
        garbage         status 200 and a body that isn't JSON
        missing_items   the last `count` items are left out
        extra_items     `count` items are added
        drip            the reply's body comes one byte each `seconds` (0 = 1 s)
        refuse          no listening for `seconds`, open connections are reset
        black_hole      the body is not read and no answer comes

    A fault is due while `times` (0 = always) isn't used up, after `after` bulk requests, from
    `at_s` for `for_s` seconds (0 = for ever; counted from the first bulk request), with
    `probability`.
    """

    do: str
    status: int = 0
    retry_after_s: float = 0.0
    early: bool = False
    every: int = 1
    where: str = ""
    kind: str = ""
    failure_store: str = ""
    seconds: float = 0.0
    bytes: int = 0
    count: int = 1
    times: int = 1
    after: int = 0
    at_s: float = 0.0
    for_s: float = 0.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what can't be meant. Raises ValueError."""
        if self.do not in ON_REQUEST | ON_ROWS | ON_REPLY:
            raise ValueError(f"unknown fault {self.do!r}")
        if self.do in ON_ROWS and not 100 <= self.status <= 599:
            raise ValueError(f"a fault {self.do!r} needs a status, not {self.status}")
        if self.every < 1:
            raise ValueError(f"every {self.every} is no row")


def parse_faults(values: Iterable[object]) -> list[Fault]:
    """Faults from decoded JSON objects. Raises ValueError for what is no fault."""
    return [_parse_fault(value) for value in values]


def _parse_fault(value: object) -> Fault:
    """One fault. The defaults of the fields are the types. Raises ValueError."""
    if not isinstance(value, Mapping) or "do" not in value:
        raise ValueError(f"a fault is an object that says what to `do`, not {value!r}")
    for name, given in value.items():
        if name not in TYPES:
            raise ValueError(f"unknown key {name!r} in a fault")
        if not isinstance(given, TYPES[name]):
            raise ValueError(f"{name}: {given!r} has the wrong type")  # noqa: TRY004 (one kind)
    return Fault(**value)


TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    each.name: (int, float) if isinstance(each.default, float) else type(each.default)
    for each in fields(Fault)
} | {"do": str}


@dataclass
class Script:
    """A list of faults; each bulk request takes the first that is due."""

    faults: list[Fault] = field(default_factory=list)
    seed: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    """How often each kind of fault was taken."""

    def __post_init__(self) -> None:
        self.load(self.faults, self.seed)

    def load(self, faults: Iterable[Fault], seed: int = 0) -> None:
        """Start a new script: counts, clock and chance begin anew; `fired` goes on."""
        self.faults = list(faults)
        self.seed = seed
        self._random = random.Random(seed)
        self._used = [0] * len(self.faults)
        self._requests = 0
        self._started_at: float | None = None

    def take(self, now: float) -> Fault | None:
        """The fault for the bulk request whose head was read at `now` (any clock in seconds),
        None for an undisturbed one."""
        if not self.faults:
            return None
        if self._started_at is None:
            self._started_at = now
        before = self._requests
        self._requests += 1
        for at, fault in enumerate(self.faults):
            if fault.times and self._used[at] >= fault.times:
                continue
            if before < fault.after or not self._in_window(fault, now - self._started_at):
                continue
            if fault.probability < 1.0 and self._random.random() >= fault.probability:
                continue
            self._used[at] += 1
            self.fired[fault.do] += 1
            return fault
        return None

    def _in_window(self, fault: Fault, elapsed_s: float) -> bool:
        until_s = fault.at_s + fault.for_s if fault.for_s else float("inf")
        return fault.at_s <= elapsed_s < until_s
