"""What the oracle knows of one output: copies, excuses, what is final, what is saved.

Knows no rule; `oracle.py` has them.
"""

from __future__ import annotations

from collections import Counter

from tests.sim.fs import Life
from tests.sim.outputs import OutputPlan
from tests.sim.owed import Owed

Key = tuple[bytes, bytes]


class Account:
    """What is known of one output."""

    def __init__(self, plan: OutputPlan) -> None:
        self.plan = plan
        self.copies: Counter[Key] = Counter()
        self.allowed: Counter[Key] = Counter()
        """Copies beyond the first that have an excuse."""
        self.answered: set[Key] = set()
        """Rows answered in this process's life that no durable checkpoint covers yet."""
        self.whole: set[bytes] = set()
        """Lines that are delivered whole, cut at their limit, buried or dropped."""
        self.parts: dict[bytes, set[tuple[str, bytes]]] = {}
        self.generations: dict[int, Life] = {}
        self.checked: dict[int, int] = {}
        """How far each generation's lines are known to be final."""
        self.saved: dict[int, int] = {}
        self.owed = Owed()
