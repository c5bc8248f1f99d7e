"""Letters are sent again on the path of all rows; whatever ends a replay, none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from logagent.codecs.elastic import ElasticCodec, Target
from logagent.core.chunk import Frame, Origin, Request, Verdict
from logagent.core.deadletter import Sought, encode
from logagent.core.ledger import Ledger
from logagent.replay import Pile, frame_rows, sort_lines
from tests.fakes.delivering import rejected
from tests.fakes.loop import run
from tests.fakes.origin import ORIGIN
from tests.fakes.replaying import Killed, Rig, made
from tests.fakes.sink import ScriptedSink


def test_letters_are_delivered_and_deleted(tmp_path: Path) -> None:
    """All segments, in order, in batches of one segment at most."""
    rig = Rig(tmp_path, segment_bytes=600)
    letters = [made(n, file="/a.log" if n % 3 else "/b.log") for n in range(9)]
    rig.write(*letters)
    assert len(rig.store.segments()) > 2
    replay = rig.replay()
    assert b"".join(rig.sink.bodies) == b"".join(b'{"n":%d}\n' % n for n in range(9))
    assert (replay.tally.sent, rig.left()) == (9, [])
    assert rig.replay().tally.sent == 0


def test_what_is_refused_again_is_a_new_letter(tmp_path: Path) -> None:
    """With all that the old one knew and one attempt more; not in this run's reach."""
    rig = Rig(tmp_path)
    rig.write(*map(made, range(4)))
    refused = rejected(1, 3, kind="other")
    rig.codec.verdicts.append(Verdict("done", delivered=2, rejected=refused))
    rig.replay()
    assert len(rig.sink.requests) == 1
    left = rig.left()
    assert [(letter.offset, letter.attempts) for letter in left] == [(10, 2), (30, 2)]
    assert left[0] == replace(
        made(1), attempts=2, kind="other", reason=left[0].reason, time="2027-01-15T08:00:00.250Z"
    )
    rig.replay()
    assert rig.arrived()[b'{"n":1}'] == 2
    assert rig.left() == []


def test_letters_that_come_meanwhile_stay(tmp_path: Path) -> None:
    """An agent beside us appends to a segment that isn't ours."""
    rig = Rig(tmp_path)
    rig.write(made(0))

    def script(request: Request) -> Verdict:
        rig.write(made(1))
        return Verdict("done", delivered=request.rows)

    rig.codec.script = script
    rig.replay()
    assert rig.left() == [made(1)]


def test_only_letters_since_a_time_are_sent(tmp_path: Path) -> None:
    """A segment without any is left as it is; of one with some the others are kept."""
    rig = Rig(tmp_path, segment_bytes=2 * len(encode([made(1)])))
    days = ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-23", "2026-11-24"]
    letters = [made(n, time=f"{day}T10:00:00.000Z") for n, day in enumerate(days)]
    rig.write(*letters)
    first, *_ = segments = rig.store.segments()
    assert len(segments) == 3
    replay = rig.replay("2026-11-23T10:00:00.000Z")
    assert rig.arrived() == Counter([b'{"n":3}', b'{"n":4}'])
    assert rig.left() == letters[:3]
    assert rig.store.segments()[0] == first
    assert replay.tally.kept == 1


def test_lines_that_are_no_letters_are_set_aside(tmp_path: Path) -> None:
    """Nothing that isn't one document on one line is ever sent, and nothing is thrown away."""
    rig = Rig(tmp_path)
    bad = [
        b"nonsense\n",
        encode([replace(made(8), document='{"a":1}\n{"delete":{}}')]),
        encode([replace(made(9), document='{"a":1}{"b":2}')]),
        b'{"time":1}\n',
    ]
    rig.journal().write(b"".join([encode([made(0)]), *bad, encode([made(1)])]))
    replay = rig.replay()
    assert rig.arrived() == Counter([b'{"n":0}', b'{"n":1}'])
    assert (rig.store.aside, replay.tally.unreadable) == ([b"".join(bad)], 4)
    (line,) = rig.log.of("lines that are no dead letters are set aside")
    assert line.facts["lines"] == 4


@pytest.mark.parametrize("end", [" ", "\t", "\r", " \t\r "])
def test_whitespace_that_apps_write_is_sent(end: str) -> None:
    """The render leaves what JSON allows around and between members; that is no rubbish."""
    letter = replace(made(1), document='{"n":1,\r"m":2}' + end)
    assert sort_lines(encode([letter]), "") == ([letter], [], [])


@pytest.mark.parametrize("line", [b'{"time":"\xff"}\n', b'{"x":' + b"[" * 100_000 + b"\n"])
def test_broken_bytes_are_no_letters(line: bytes) -> None:
    """A line that a disk or a person has spoilt doesn't stop those behind it, time after time."""
    assert sort_lines(line + encode([made(1)]), "") == ([made(1)], [], [line])


def test_a_replay_drops_no_letters(tmp_path: Path) -> None:
    """At the cap, when all is refused again: a letter that is refused again is a little longer."""
    rig = Rig(tmp_path, segment_bytes=3 * len(encode([made(10)])))
    letters = list(map(made, range(10, 34)))
    rig.write(*letters)
    rig.codec.script = lambda request: Verdict("done", rejected=rejected(*range(request.rows)))
    replay = rig.replay()
    assert replay.tally.sent == len(letters)
    assert sorted(letter.id for letter in rig.left()) == [letter.id for letter in letters]


def test_a_stop_ends_after_the_batch_under_way(tmp_path: Path) -> None:
    """It is noted as delivered; what comes behind it stays."""
    rig = Rig(tmp_path)
    rig.write(*map(made, range(10, 16)))
    size = len(encode([made(10)]))
    replay = rig.make(2 * size)

    def script(request: Request) -> Verdict:
        replay.stopping = True
        return Verdict("done", delivered=request.rows)

    rig.codec.script = script
    run(replay.run())
    assert rig.arrived() == Counter([b'{"n":10}', b'{"n":11}'])
    (segment,) = rig.store.segments()
    assert segment.done == 2 * size
    rig.codec.script = lambda request: Verdict("done", delivered=request.rows)
    rig.replay()
    assert rig.arrived() == Counter(b'{"n":%d}' % n for n in range(10, 16))


def test_a_cancelled_replay_leaves_its_batch(tmp_path: Path) -> None:
    """A sink that never answers: nothing is noted, nothing is lost."""
    rig = Rig(tmp_path)
    rig.write(*map(made, range(3)))
    rig.sink = ScriptedSink(allowed=0)

    async def scenario() -> None:
        task = asyncio.ensure_future(rig.make().run())
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait([task])

    run(scenario())
    assert rig.left() == list(map(made, range(3)))


@given(st.integers(1, 30), st.lists(st.integers(0, 12), max_size=5), st.integers(1, 5))
def test_killed_anywhere_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory, count: int, kills: list[int], rows: int
) -> None:
    """Each death in front of a change on disk; a death doubles at most one batch."""
    rig = Rig(tmp_path_factory.mktemp("replay"), segment_bytes=1100)
    rig.write(*map(made, range(10, 10 + count)))
    batch_bytes = rows * len(encode([made(10)]))
    deaths = 0
    for steps in kills:
        rig.store.steps = steps
        try:
            rig.replay(batch_bytes=batch_bytes)
        except Killed:
            deaths += 1
    rig.store.steps = 1 << 30
    rig.replay(batch_bytes=batch_bytes)
    arrived = rig.arrived()
    assert set(arrived) == {b'{"n":%d}' % n for n in range(10, 10 + count)}
    assert arrived.total() - count <= deaths * rows
    assert rig.left() == []


def test_rows_are_framed_as_the_renderer_does() -> None:
    """Head, id, document: the action that the refused row had."""
    codec = ElasticCodec(Target("logs"), ids=True, gzip=False)
    rows = frame_rows(codec.frame(ORIGIN), [made(1), made(2)], 0.0)
    assert rows == (b'{"create":{"_id":"id1"}}\n{"n":1}\n{"create":{"_id":"id2"}}\n{"n":2}\n')
    bare = frame_rows(Frame(b"<", b"", b">\n"), [made(1)], 0.0)
    assert bare == b'<{"n":1}>\n'


def test_dated_rows_go_where_their_time_says() -> None:
    """The document's own time, or the letter's: on whatever day it is replayed, and replayed again
    after a kill, an id has one index. The clock's if neither is one."""
    codec = ElasticCodec(Target("logs-%Y.%m.%d"), ids=True, gzip=False)
    dated = replace(made(1), document='{"@timestamp":"2025-01-02T03:04:05.678Z","n":1}')
    letters = [dated, made(2), replace(made(3), document='{"@timestamp":"x"}'), made(4, time="?")]
    rows = frame_rows(codec.frame(ORIGIN), letters, 1_800_000_000.0).split(b"\n")
    assert rows[0] == b'{"create":{"_index":"logs-2025.01.02","_id":"id1"}}'
    assert rows[2] == b'{"create":{"_index":"logs-2026.11.24","_id":"id2"}}'
    assert rows[4] == b'{"create":{"_index":"logs-2026.11.24","_id":"id3"}}'
    assert rows[6] == b'{"create":{"_index":"logs-2027.01.15","_id":"id4"}}'


def test_letters_without_an_id_get_one() -> None:
    """The same whenever they are read, and each another: of earlier versions without ids."""
    old = replace(made(1), id="")
    lines = encode([old, old])
    first, second = sort_lines(lines, "", 100).letters
    assert sort_lines(lines, "", 100).letters == [first, second]
    assert first.id != second.id
    assert sort_lines(encode([old]), "", 101).letters[0].id != first.id


def test_letters_say_where_they_are_from() -> None:
    """What a letter knew, its successor knows."""
    pile = Pile(Ledger())
    key = pile.add([made(3), made(4)])
    assert pile.ledger.open_rows == 2
    (place,) = pile.locate(key, [Sought(1)])
    assert place == ("id4", 7, 40, 10, True, 1)


def test_origins_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters of very many files don't fill the memory, and each row has its own origin."""
    monkeypatch.setattr("logagent.replay.ORIGINS_MAX", 3)
    rig = Rig(tmp_path)
    rig.write(*[made(n, file=f"/{n}.log") for n in range(10)])
    replay = rig.make()
    seen: list[Origin] = []
    frame = rig.codec.frame

    def noting(origin: Origin) -> Frame:
        seen.append(origin)
        return frame(origin)

    monkeypatch.setattr(rig.codec, "frame", noting)
    run(replay.run())
    assert [origin.path for origin in seen] == [f"/{n}.log" for n in range(10)]
    assert len(replay._origins) <= 3
