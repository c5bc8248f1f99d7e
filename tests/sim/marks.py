"""The faults and situations that a campaign has to meet: one that never occurs proves nothing.

A mark is set by the model in which the thing happens. Each must be set in at least a tenth of a
campaign's seeds (RARE ones in fewer).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SHARE_MIN: Final = 0.10
RARE: Final = {"row_continued": 0.05}
"""Not a fault but what can follow from three at the right times."""
SEEDS_MIN: Final = 200
"""With fewer seeds shares are too much a matter of luck."""

MARKS: Final[Mapping[str, str]] = {
    "kill_step": "killed at any step of the loop",
    "kill_in_send": "killed after rows were applied and before they were settled",
    "kill_in_commit": "killed before, within or after the write of a slot",
    "kill_in_rotation": "killed while a rotation was between rename and re-creation",
    "torn_slot": "a crash left a slot torn, empty, or written though an error was reported",
    "slot_error": "ENOSPC or EIO at a commit",
    "slow_commit": "a commit took long, and the world went on meanwhile",
    "stopped": "an orderly stop",
    "stopped_with_rest": "a stop that left something behind",
    "resume": "a file went on where the checkpoint left it",
    "resume_renamed": "a file went on that was renamed while the agent was away",
    "lost_reply": "a request was applied and its reply lost",
    "partial_apply": "a request was applied in part and its reply lost",
    "late_apply": "a request was applied long after its reply was given up",
    "unparsable": "a reply was cut in the middle",
    "short_reply": "a reply reported fewer rows than were sent",
    "item_429": "single rows were refused for load",
    "http_429": "a request was refused for load",
    "http_503": "a request was refused by a proxy",
    "http_401": "credentials were refused",
    "http_413": "a request was too large",
    "refused": "a connection was refused",
    "reset": "a file began a new generation",
    "outage": "the sink was away for seconds",
    "conflict": "a row was there already, and the sink said so",
    "rejected": "a row was rejected for its mapping",
    "wrapped_row": "a rejected row was taken in its wrapped form",
    "dead_letter": "a row became a dead letter",
    "letter_error": "a dead letter couldn't be written",
    "rename": "a file was renamed",
    "delete": "a file was deleted",
    "recreate": "a file was deleted and created again",
    "truncate": "a file was truncated in place",
    "regrown_exactly": "a file was truncated and grew to the very same size",
    "inode_reused": "a new file got the inode number of an old one",
    "race": "the app acted between two calls of the agent's step",
    "short_read": "a read returned less than was asked for",
    "read_error": "a read failed",
    "open_fault": "an open failed for a moment",
    "stat_fault": "a stat failed for a moment",
    "walk_miss": "a listing missed a file that was being renamed",
    "probe_error": "a size couldn't be had for a moment",
    "finished": "a deleted file was read to its end and given back",
    "lost_counted": "bytes were counted as lost",
    "partial_write": "a line was written in two writes",
    "row_partial": "a last line without newline was delivered",
    "row_continued": "the rest of such a line was delivered",
    "row_truncated": "an over-long line was delivered cut",
    "blank_line": "a blank line was written",
    "clock_jump": "the wall clock jumped by an hour",
}
"""Mark → what it means."""


def missing_marks(counts: Mapping[str, int], seeds: int) -> dict[str, float]:
    """The marks that were set in too few of so many seeds, with their shares."""
    shares = {mark: counts.get(mark, 0) / seeds for mark in MARKS}
    return {mark: share for mark, share in shares.items() if share < RARE.get(mark, SHARE_MIN)}
