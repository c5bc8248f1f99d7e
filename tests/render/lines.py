"""Lines that apps write, and worse ones: hypothesis strategies for the tests of the render."""

from __future__ import annotations

import json

from hypothesis import settings
from hypothesis import strategies as st


def more(times: int) -> settings:
    """Ask for so many times the examples of the profile."""
    return settings(max_examples=times * settings().max_examples)


RESERVED = [
    "kubernetes",
    "kubernetes.pod.name",
    "k8s",
    "k8s.pod.name",
    "data_stream",
    "logagent.error",
]
CLASHING = ["log", "log.file", "log.file.path", "log.file.path.x", "team", "team.name", "service"]
STAMPS = ["@timestamp", "timestamp", "time", "ts"]
HARMLESS = ["level", "message", "log.level", "logger", "kubernetesx", "shadowed", "", "%b", "ключ"]

keys = st.sampled_from(RESERVED + CLASHING + STAMPS * 2 + HARMLESS * 3)
zones = st.sampled_from(["Z", "z", "", "+01:00", "-05:30", "+0200", "+19:00", "+01:75"])
stamps = st.one_of(
    st.builds(
        "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
        st.sampled_from([2026, 1970, 1, 9999]),
        st.integers(1, 13),
        st.integers(1, 31),
        st.sampled_from(["T", "T", " ", "t"]),
        st.integers(0, 24),
        st.integers(0, 59),
        st.integers(0, 60),
        st.sampled_from(["", ".1", ".123", ",123", ".123456789", ".1234567891"]),
        zones,
    ),
    st.sampled_from(["2026-11-24T10:00:00.123Z", "2026-11-24T11:00:01.500Z", "noon", ""]),
    st.sampled_from([1795000000, 1795000000123, 1795000000.25, 1e30, -1, 0, 10**18, 10**25]),
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=12),
        stamps,
        st.sampled_from(
            ['"kubernetes":', "{", "}{", " {", "%b %s", "\x7f", "\\u006b", '","team":"']
        ),
        keys,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3), st.just({})
    ),
    max_leaves=6,
)


def spell(members: dict[str, object], style: int) -> bytes:
    """Write an object in one of the styles that encoders have."""
    if style == 0:
        return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()
    if style == 1:
        return json.dumps(members, separators=(", ", ": ")).encode()
    text = json.dumps(members, separators=(",", ":"))
    if style == 2:  # each letter of the first key escaped, as nobody does without a reason
        key = next(iter(members), "")
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in key if ord(letter) < 65536)
        return text.replace(json.dumps(key), f'"{escaped}"', 1).encode()
    return f"\t{text} ".encode()


objects = st.builds(
    spell,
    st.dictionaries(keys, st.one_of(values, stamps), max_size=5),
    st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3]),
)
hostile = st.sampled_from(
    [
        b"",
        b"\r",
        b" ",
        b"{}",
        b"{ }",
        b"{}{}",
        b'{"a":1}{"b":2}',
        b'{"a":1} {"b":2}',
        b'{"a":[',
        b'{"b":1}',
        b"]}",
        b'{"a":',
        b"1}",
        b'{"a":1,}',
        b'{"a":1',
        b'{"a":"\xff"}',
        b'{"\xff":1}',
        b'{"a":"\x00"}',
        b'{"a":1e999}',
        b'{"a":1,"a":2}',
        b'{"time":"2026-11-24T10:00:00Z","time":5}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"time":"\\ud800"}',
        b'{"ts":1.7324424e+09}',
        b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
        b"[" * 3000,
        b"1",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"\x00",
        b"\x7f~`^|#$;!*+=<>?&@%\x01",
        b"%b%s%%",
        b"a\rb",
        b"\xe2\x82",
        b"{foo=bar}",
        b'{"kubernetes',
        b'{"kubernetes":1,"shadowed":{"a":1}}',
        b'{"kubernetes":1,"shadowed":5}',
        b'{"\\u006bubernetes":1}',
        b'{"kubernetes\\u002epod":1}',
        b'{"\\u0074eam":1}',
        b'{"a":"\\u003cb\\u003e \\u007f"}',
        b'{"a":"say \\"kubernetes\\": x"}',
        b"x" * 300,
    ]
)
text = st.one_of(
    st.text(max_size=30).map(lambda each: each.replace("\n", " ").encode("utf-8", "replace")),
    st.sampled_from([b"plain words", b'GET /a?b=%20 "x" \\ y', b"\tat java.lang.Foo(Bar.java:1)"]),
    st.binary(max_size=20).map(lambda each: each.replace(b"\n", b" ")),
)
same = st.builds(lambda line, count: [line] * count, st.one_of(objects, text), st.integers(1, 4))
mixed = st.lists(st.one_of(objects, objects, hostile, text), min_size=1, max_size=6)
uniform = st.builds(
    lambda names, rows: [
        json.dumps(dict(zip(names, row, strict=False)), separators=(",", ":")).encode()
        for row in rows
    ],
    st.lists(keys, min_size=1, max_size=4, unique=True),
    st.lists(st.lists(st.one_of(stamps, values), min_size=4, max_size=4), min_size=1, max_size=5),
)
ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n"])
chunks = st.builds(
    lambda lines, end: b"".join(line + end for line in lines),
    st.one_of(mixed, uniform, uniform, same, st.lists(text, min_size=1, max_size=6)),
    ends,
)
"""Whole lines, at least one byte."""
