"""Whose turn it is among several hosts."""

from __future__ import annotations

from logagent.edge.dial import parse_host
from logagent.edge.nodes import ASIDE_MAX_S, ASIDE_S, Node, choose


def make_nodes(count: int) -> list[Node]:
    """Healthy hosts."""
    return [Node(parse_host(f"http://es-{number}:9200"), []) for number in range(count)]


def test_healthy_hosts_take_turns() -> None:
    """From whatever turn, the next healthy host is chosen."""
    nodes = make_nodes(3)
    assert [choose(nodes, turn, 0.0) for turn in (0, 1, 2)] == [0, 1, 2]
    nodes[1].failed("refused", 10.0)
    assert [choose(nodes, turn, 10.0) for turn in (0, 1, 2)] == [0, 2, 2]
    assert choose(nodes, 1, 10.0 + ASIDE_S) == 1


def test_the_one_due_first_is_tried_when_all_are_aside() -> None:
    """With no healthy host left there is still a choice: nothing waits in here."""
    nodes = make_nodes(3)
    for number, node in enumerate(nodes):
        node.failed("refused", 10.0 - number)
    assert choose(nodes, 0, 10.5) == 2 or choose(nodes, 0, 9.0) == 2


def test_setting_aside_doubles_up_to_a_limit() -> None:
    """Each failure in a row doubles the time; one success ends it."""
    node = make_nodes(1)[0]
    times = []
    for _ in range(40):
        node.failed("reset", 100.0)
        times.append(node.back_at - 100.0)
    assert times[:4] == [ASIDE_S, 2 * ASIDE_S, 4 * ASIDE_S, 8 * ASIDE_S]
    assert times[-1] == ASIDE_MAX_S
    assert node.state() == ("es-0:9200", 40, "reset")
    node.worked()
    assert (node.back_at, node.state()) == (0.0, ("es-0:9200", 0, ""))


def test_hosts_are_parsed() -> None:
    """Ports, prefixes and literal addresses end up where they belong."""
    assert parse_host("https://ES-1:9200/a/b/") == ("es-1", 9200, True, "es-1:9200", "/a/b")
    assert parse_host("https://es-1") == ("es-1", 443, True, "es-1", "")
    assert parse_host("http://[::1]/") == ("::1", 80, False, "[::1]", "")
