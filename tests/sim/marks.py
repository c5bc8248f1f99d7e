"""The faults and situations that a campaign has to meet: one that never occurs proves nothing.

A mark is set by the model in which the thing happens. Each must be set in at least a tenth of a
campaign's seeds (RARE ones in fewer); what can only happen to one kind of output, in a tenth of the
seeds that have one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SHARE_MIN: Final = 0.10
RARE: Final = {"row_continued": 0.05, "hec_restart": 0.05}
"""Not a fault but what can follow from three at the right times; or a rare fault."""
KINDS: Final = {"kafka_": "output_kafka", "hec_": "output_splunk_hec"}
"""How marks of one kind of output start, and the mark of seeds that have one."""
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
    "output_elasticsearch": "an output went to Elasticsearch",
    "output_kafka": "an output went to Kafka",
    "output_splunk_hec": "an output went to Splunk",
    "kafka_broker_down": "a broker went away for seconds",
    "kafka_leaderless": "a partition had no leader for seconds",
    "kafka_not_leader": "a batch came to a broker that doesn't lead its partition",
    "kafka_no_topic": "the topic wasn't there for seconds",
    "kafka_cut_before": "a connection broke before a batch was appended",
    "kafka_cut_after": "a connection broke after a batch was appended",
    "kafka_timed_out": "a batch was appended, and the broker gave up on its replicas",
    "kafka_after_append": "a batch was appended, and replicas were missing afterwards",
    "kafka_too_few": "a batch wasn't appended for lack of replicas",
    "kafka_late": "a batch was appended after its connection was closed",
    "kafka_duplicate": "a batch was there already, by its sequence number",
    "kafka_rolled_back": "an appended batch went away with its leader",
    "kafka_odd_code": "a broker refused a batch for no reason that the agent can know",
    "kafka_rebuilt": "a producer was given up",
    "kafka_sequences": "a producer's sequence numbers were used up",
    "kafka_too_large": "a batch was larger than the topic takes",
    "kafka_poison": "a batch was refused for a record in it",
    "hec_busy": "a collector was busy",
    "hec_token": "a collector refused the token for a while",
    "hec_too_large": "a request was larger than a collector takes",
    "hec_invalid_event": "a collector refused a request for an event in it",
    "hec_taken_in_part": "it took the events in front of that one",
    "hec_reply_lost": "events were taken and the reply lost",
    "hec_late": "an acknowledgement came after the agent had given up",
    "hec_lost": "events were taken, with a receipt, and never indexed",
    "hec_mute": "events were indexed and never acknowledged",
    "hec_poll_refused": "the question for acknowledgements was refused",
    "hec_ack_answer_lost": "the only answer that grants an acknowledgement was lost",
    "hec_restart": "a collector started again and counts from 0",
}
"""Mark → what it means."""


def missing_marks(counts: Mapping[str, int], seeds: int) -> dict[str, float]:
    """The marks that were set in too few of so many seeds, with their shares."""
    shares = {mark: counts.get(mark, 0) / _seeds_with(mark, counts, seeds) for mark in MARKS}
    return {mark: share for mark, share in shares.items() if share < RARE.get(mark, SHARE_MIN)}


def _seeds_with(mark: str, counts: Mapping[str, int], seeds: int) -> int:
    """In how many seeds a mark can be set at all, at least 1."""
    base = next((base for start, base in KINDS.items() if mark.startswith(start)), "")
    return max(1, counts.get(base, 0)) if base else seeds
