"""The museum: bugs that the simulator has to find. Each is one edit of the production source.

A patch names a snippet that must occur exactly once; when the code changes, the patch changes with
it. `found` says what the oracle has to complain about.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
SEEDS: Final = 100


class Edit(NamedTuple):
    """One replacement in one file of the package."""

    file: str
    old: str
    new: str


class Bug(NamedTuple):
    """A planted bug."""

    name: str
    edits: tuple[Edit, ...]
    kind: str = ""
    """Hunted in seeds whose outputs are all of this kind; "" = in those of the campaign."""


BUGS: Final = (
    Bug(
        "commit at read time",
        (
            Edit("follower.py", "position=settled.position,", "position=self.position,"),
            Edit("follower.py", "anchor=settled.anchor,", "anchor=self.anchor(),"),
        ),
    ),
    Bug(
        "unparsable reply as success",
        (
            Edit(
                "codecs/elastic_reply.py",
                """    if items is None or len(items) != rows:
        return Verdict("again", why="ambiguous")
""",
                """    if items is None or len(items) != rows:
        return Verdict("done", delivered=rows)
""",
            ),
        ),
    ),
    Bug(
        "guard skipped",
        (
            Edit(
                "follower.py",
                '        if not self._intact(fs):\n            return "replaced"\n',
                "",
            ),
        ),
    ),
    Bug(
        "a short read taken for a failed guard",
        (Edit("follower.py", "while len(data) < size and (", "while False and ("),),
    ),
    Bug(
        "the watermark jumps over a hole",
        (
            Edit(
                "core/ledger.py",
                "while order and order[0].open == 0:",
                "while order and (order[0].open == 0 or order[-1].open == 0):",
            ),
        ),
    ),
    Bug(
        "a partial failure taken for success",
        (
            Edit(
                "delivery.py",
                "if not verdict.retry and not verdict.rejected:",
                "if not verdict.rejected:",
            ),
        ),
    ),
    Bug(
        "a cut inside a line",
        (Edit("core/cut.py", 'Cut(data.rfind(b"\\n") + 1, long=False)', "Cut(len(data), False)"),),
    ),
    Bug(
        "a deleted file given back before it is settled",
        (
            Edit("core/follow.py", "return settled.offset >= view.size", "return True"),
            Edit(
                "tail.py",
                "if probe is None or probe.size > follower.committed.offset:",
                "if False:",
            ),
        ),
    ),
    Bug(
        "a commit over the good slot",
        (Edit("checkpoint.py", "target = 1 - self._active", "target = self._active"),),
    ),
    Bug(
        "a size that is older than the read taken for a truncation",
        (
            Edit(
                "tail.py",
                "if self._descriptors.probe(follower.held, now) and follower.is_truncated:",
                "if follower.is_truncated:",
            ),
        ),
    ),
    Bug(
        "rows of a truncated file forgotten while they are under way",
        (
            Edit(
                "tail.py",
                "if follower.durable and not self._ledger.is_settled(follower.generation):",
                "if False:",
            ),
        ),
    ),
    Bug(
        "a file that can't be opened at start taken for deleted",
        (Edit("descriptors.py", "return (file.root, file.ino) in self._blocked", "return False"),),
        "elasticsearch",
    ),
    Bug(
        "the head of another content guarded than the scan's",
        (
            Edit(
                "tail.py",
                "                    self._check(follower, now)  # the head",
                "                    pass  # the head",
            ),
        ),
    ),
    Bug(
        "a file that was rewritten to the same size not noticed",
        (
            Edit(
                "follower.py",
                'return "end" if unlooked or self._intact(fs)',
                'return "end" if True',
            ),
        ),
    ),
)


_KAFKA: Final = "kafka"
_HEC: Final = "splunk_hec"
BUGS_OF_OUTPUTS: Final = (
    Bug(
        "a producer kept though an outcome is open",
        (Edit("edge/kafka_producer.py", '            self.poison("outcome open")\n', ""),),
        _KAFKA,
    ),
    Bug(
        "a batch sent by a producer that was given up while it waited",
        (Edit("edge/kafka_producer.py", "        if self.poisoned:  #", "        if False:  #"),),
        _KAFKA,
    ),
    Bug(
        "a batch that was appended and not replicated taken for delivered",
        (Edit("edge/kafka_faults.py", "frozenset({OK, 46})", "frozenset({OK, 46, 20})"),),
        _KAFKA,
    ),
    Bug(
        "a sequence number used twice",
        (
            Edit(
                "edge/kafka_producer.py",
                "self._sequences[place] = sequence + count",
                "self._sequences[place] = sequence",
            ),
        ),
        _KAFKA,
    ),
    Bug(
        "a batch overtakes another that wasn't taken",
        (
            Edit(
                "edge/kafka_pieces.py",
                "return  # what comes behind must not overtake it",
                "continue",
            ),
        ),
        _KAFKA,
    ),
    Bug(
        "events taken for indexed when nobody said so in time",
        (
            Edit(
                "edge/hec.py",
                "return reply if granted else Reply(0, fault=language.late, sent=True)",
                "return reply",
            ),
        ),
        _HEC,
    ),
    Bug(
        "a negative acknowledgement read as one",
        (Edit("codecs/splunk_reply.py", "if done and _ID", "if _ID"),),
        _HEC,
    ),
    Bug(
        "events in front of an invalid one taken for delivered",
        (
            Edit(
                "codecs/splunk_reply.py",
                "(*range(row), *range(row + 1, request.rows))",
                "(*range(row + 1, request.rows),)",
            ),
        ),
        _HEC,
    ),
)
"""Those of single outputs."""


def plant(bug: Bug, folder: Path) -> None:
    """Copy package and simulator to `folder` and plant the bug. Raises AssertionError when the
    source has changed so that a snippet is not there exactly once."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "logagent", folder / "logagent", ignore=ignore)
    shutil.copytree(ROOT / "tests" / "sim", folder / "tests" / "sim", ignore=ignore)
    (folder / "tests" / "__init__.py").write_text('"""Tests."""\n')
    for edit in bug.edits:
        path = folder / "logagent" / edit.file
        source = path.read_text()
        count = source.count(edit.old)
        assert count == 1, f"{bug.name}: the snippet is {count} times in {edit.file}: {edit.old}"
        path.write_text(source.replace(edit.old, edit.new))


def hunt(bug: Bug, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run seeds against the copy in `folder`, up to the first that fails."""
    kind = ["--kind", bug.kind] if bug.kind else []
    return subprocess.run(
        [sys.executable, "-m", "tests.sim.run", "--seeds", f"0:{SEEDS}", "--first", *kind],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
