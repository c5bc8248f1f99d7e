"""The outcome tables: one case a row, and what must hold for all of them."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logagent.codecs.outcomes import (
    HTML,
    ITEM_RULES,
    PROMPTNESS,
    REQUEST_RULES,
    SLOW,
    Answer,
    ItemFate,
    Why,
    item_fate,
    item_rule,
    request_rule,
    safe_kind,
)
from logagent.core.chunk import NextStep

CLOSED = "index [a] blocked by: [FORBIDDEN/4/index closed];"
FULL_6 = "index [a] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"
FULL_7 = "index [a] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];"

ITEMS: list[tuple[int, str, str, ItemFate, Why]] = [
    # one or more for each row of ITEM_RULES, in its order
    (200, "", "", "delivered", ""),
    (201, "", "", "delivered", ""),
    (409, "version_conflict_engine_exception", "[1]: version conflict", "duplicate", ""),
    (429, "cluster_block_exception", FULL_7, "retry", "disk_full"),
    (429, "es_rejected_execution_exception", "rejected execution", "retry", "busy"),
    (429, "rejected_execution_exception", "rejected execution", "retry", "busy"),
    (429, "opensearch_rejected_execution_exception", "rejected", "retry", "busy"),
    (429, "circuit_breaking_exception", "[parent] Data too large", "retry", "busy"),
    (429, "", "", "retry", "busy"),
    (403, "cluster_block_exception", FULL_6, "retry", "disk_full"),
    (401, "security_exception", "missing credentials", "retry", "configuration"),
    (403, "cluster_block_exception", CLOSED, "retry", "configuration"),
    (403, "security_exception", "action is unauthorized", "retry", "configuration"),
    (404, "index_not_found_exception", "no such index [a]", "retry", "configuration"),
    (400, "index_closed_exception", "closed", "retry", "configuration"),
    (400, "invalid_index_name_exception", "Invalid index name", "retry", "configuration"),
    (
        400,
        "illegal_argument_exception",
        "pipeline with id [p] does not exist",
        "retry",
        "configuration",
    ),
    (400, "task_cancelled_exception", "cancelled", "retry", "unavailable"),
    (408, "", "", "retry", "unavailable"),
    (413, "", "", "rejected", "too_large"),
    (400, "document_parsing_exception", "[1:9] failed to parse field [a]", "rejected", ""),
    (400, "mapper_parsing_exception", "failed to parse field [a]", "rejected", ""),
    (400, "illegal_argument_exception", "Limit of total fields [1000]", "rejected", ""),
    (400, "strict_dynamic_mapping_exception", "mapping set to strict", "rejected", ""),
    (409, "resource_already_exists_exception", "", "rejected", ""),
    (406, "", "", "rejected", ""),
    (499, "", "", "rejected", ""),
    (502, "", "", "retry", "unavailable"),
    (503, "unavailable_shards_exception", "primary shard is not active", "retry", "unavailable"),
    (503, "no_master_block_exception", "", "retry", "unavailable"),
    (503, "cluster_manager_not_discovered_exception", "", "retry", "unavailable"),
    (504, "process_cluster_event_timeout_exception", "", "retry", "unavailable"),
    (500, "null_pointer_exception", "", "retry", "server_error"),
    (507, "", "", "retry", "server_error"),
    (0, "", "", "retry", "ambiguous"),
    (202, "", "", "retry", "ambiguous"),
    (302, "", "", "retry", "ambiguous"),
    (-1, "", "", "retry", "ambiguous"),
    (10**30, "", "", "retry", "ambiguous"),
]

REQUESTS: list[tuple[int, str, str, NextStep, Why]] = [
    # one or more for each row of REQUEST_RULES, in its order
    (301, "", "", "hold", "redirect"),
    (308, "", "", "hold", "redirect"),
    (400, "task_cancelled_exception", "cancelled", "again", "unavailable"),
    (
        400,
        "illegal_argument_exception",
        "request [/a/_bulk] contains unrecognized parameter: [require_data_stream]",
        "hold",
        "configuration",
    ),
    (400, "media_type_header_exception", "Invalid media-type", "hold", "configuration"),
    (400, HTML, "", "hold", "configuration"),
    (400, "illegal_argument_exception", "Malformed action/metadata line [3]", "halve", "malformed"),
    (400, "", "", "halve", "malformed"),
    (403, "cluster_block_exception", "blocked", "hold", "configuration"),
    (401, "security_exception", "missing credentials", "credentials", "credentials"),
    (403, "security_exception", "unauthorized", "credentials", "credentials"),
    (408, "", "", "again", "unavailable"),
    (413, "", "", "halve", "too_large"),
    (429, "cluster_block_exception", FULL_7, "again", "disk_full"),
    (429, "es_rejected_execution_exception", "", "again", "busy"),
    (404, "", "", "hold", "configuration"),
    (405, "", "", "hold", "configuration"),
    (502, HTML, "", "again", "unavailable"),
    (503, "", "", "again", "unavailable"),
    (504, "", "", "again", "unavailable"),
    (500, "", "", "again", "server_error"),
    (505, "", "", "again", "server_error"),
    (202, "", "", "again", "ambiguous"),
    (100, "", "", "again", "ambiguous"),
    (0, "", "", "again", "ambiguous"),
    (10**30, "", "", "again", "ambiguous"),
]


@pytest.mark.parametrize(("status", "kind", "reason", "fate", "why"), ITEMS)
def test_an_item(status: int, kind: str, reason: str, fate: ItemFate, why: Why) -> None:
    """A row's answer has the fate that the servers' documentation gives it."""
    assert item_fate(Answer(status, kind, reason), ids=True) == (fate, why)


@pytest.mark.parametrize(("status", "kind", "reason", "step", "why"), REQUESTS)
def test_a_request(status: int, kind: str, reason: str, step: NextStep, why: Why) -> None:
    """A request that is answered as a whole leads to the step that can help."""
    assert request_rule(Answer(status, kind, reason))[1:] == (step, why)


def test_every_rule_has_a_case() -> None:
    """No rule of either table is dead or untested."""
    answers = [Answer(*case[:3]) for case in ITEMS]
    assert {item_rule(answer) for answer in answers} == set(ITEM_RULES)
    answers = [Answer(*case[:3]) for case in REQUESTS]
    assert {request_rule(answer) for answer in answers} == set(REQUEST_RULES)


def test_a_conflict_without_our_ids_is_no_duplicate() -> None:
    """Without ids nobody knows whose document is there: the row is rejected, not thrown away."""
    conflict = Answer(409, "version_conflict_engine_exception")
    assert item_fate(conflict, ids=False) == ("rejected", "")


@given(
    status=st.integers(),
    kind=st.text(max_size=10),
    reason=st.text(max_size=10),
    ids=st.booleans(),
)
def test_nothing_unknown_is_success(status: int, kind: str, reason: str, *, ids: bool) -> None:
    """Only 200, 201 and the conflict of a row with our id close a row as stored."""
    fate, why = item_fate(Answer(status, kind, reason), ids=ids)
    assert (fate == "delivered") == (status in {200, 201})
    assert fate != "duplicate" or (status == 409 and ids)
    assert (fate != "retry") or why in PROMPTNESS


def test_a_line_can_not_choose_its_fate() -> None:
    """A document quoted in a reason doesn't turn its rejection into an endless retry."""
    quoted = "failed to parse: 'pipeline with id [' index [a] blocked by: [FORBIDDEN/12/"
    assert item_fate(Answer(400, "illegal_argument_exception", quoted), ids=True)[0] == "rejected"
    quoted = "Malformed: 'request [x] contains unrecognized parameter'"
    assert request_rule(Answer(400, "illegal_argument_exception", quoted)).step == "halve"


def test_reasons_are_the_listed_ones() -> None:
    """Every reason in the tables is one of `Why`, so metric labels are bounded."""
    known = set(get_args(Why))
    assert {rule.why for rule in ITEM_RULES} | {rule.why for rule in REQUEST_RULES} <= known
    assert known >= SLOW
    assert {rule.why for rule in ITEM_RULES if rule.fate == "retry"} == set(PROMPTNESS)


@pytest.mark.parametrize(
    ("kind", "safe"),
    [
        ("document_parsing_exception", "document_parsing_exception"),
        ("", "status_400"),
        ("x" * 65, "status_400"),
        ("a\nb", "status_400"),
        ("John Smith", "status_400"),
        ("a\n", "status_400"),
    ],
)
def test_a_kind_is_safe_to_log(kind: str, safe: str) -> None:
    """Only what looks like an error type is passed on as one."""
    assert safe_kind(Answer(400, kind)) == safe
