"""The account of a kill loop: what each kill has met, and what became of the lines.

Knows what must be shown. Must not know how kills are aimed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

Aim = Literal["send", "commit", "rotation", "random"]
AIMS: Final[tuple[Aim, ...]] = ("send", "commit", "rotation")


@dataclass(frozen=True)
class Kill:
    """What a kill has met.

    sending: rows were applied and no reply was written. committing: a slot of the checkpoint was
    open for writing. rotating: the old file was renamed, the new one not made.
    """

    aim: Aim
    sending: bool
    committing: bool
    rotating: bool


@dataclass
class Result:
    """The account."""

    kills: list[Kill] = field(default_factory=list)
    rotations: int = 0
    deleted_unread: int = 0
    seconds: float = 0.0
    written: int = 0
    lost: int = 0
    doubled: int = 0
    refused_copies: int = 0
    own_faults: int = 0

    def fell(self, what: Callable[[Kill], bool]) -> int:
        """How many kills met something."""
        return sum(map(what, self.kills))

    def lines(self) -> list[str]:
        """For people."""
        aims = Counter(kill.aim for kill in self.kills)
        aimed = ", ".join(f"{aim} {aims[aim]}" for aim in AIMS)
        rate = self.written / max(self.seconds, 1)
        return [
            f"kills {len(self.kills)}: {aims['random']} at random moments, aimed at {aimed}",
            f"fell between send and settle {self.fell(lambda k: k.sending)}",
            f"fell within a commit {self.fell(lambda k: k.committing)}",
            f"fell within a rotation {self.fell(lambda k: k.rotating)}",
            f"rotations {self.rotations}, files deleted while unread {self.deleted_unread}",
            f"written {self.written} lines in {self.seconds:.0f} s, {rate:.0f} a second",
            f"copies refused by id {self.refused_copies}",
            f"lost {self.lost} duplicated {self.doubled}",
        ]

    def faults(self, *, ids: bool) -> list[str]:
        """What is wrong with it; empty if all is well."""
        checks = {
            "lines are lost": not self.lost,
            "lines are doubled": not (ids and self.doubled),
            "no kill fell between send and settle": self.fell(lambda k: k.sending) > 0,
            "no kill fell within a commit": self.fell(lambda k: k.committing) > 0,
            "no kill fell within a rotation": self.fell(lambda k: k.rotating) > 0,
            "no file was deleted while unread": self.deleted_unread > 0,
            "the app wrote less than 5000 lines a second": self.written >= 5000 * self.seconds,
            "the agent had faults of its own": not self.own_faults,
        }
        return [text for text, good in checks.items() if not good]
