"""`logagent replay`: dead letters are sent again, and those that were delivered are deleted.

Knows arguments, what is printed, and exit statuses. How it runs is in `replaying`. Must not know
how a letter travels: `logagent.replay` does.
"""

from __future__ import annotations

import argparse
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from logagent.cli.usage import CONFIG, Parser, add_config, complain, config_paths
from logagent.cli.usage import load_or_complain as load
from logagent.config import Config
from logagent.core.deadletter import DeadLetter
from logagent.core.files import escape
from logagent.edge.segments import Claims, count_letters
from logagent.ends import dead_letter_dir
from logagent.rejects import rfc3339
from logagent.replay import sort_lines

ABOUT = """\
Send the dead letters under state_dir again, on the path of all lines: same ids, same judgement,
retried until the server answers. What was delivered is deleted; what is refused again becomes a new
letter, and stays for the next replay. Each letter is sent at least once: a replay that is killed
and run again sends at most one batch twice (none is stored twice with ids: true).

It can run beside the agent. A server that is down is tried again until it is there, or until
--timeout. Ctrl-C ends it after the batch under way (within 5 s; a second one at once); what is left
stays.

exit status: 0 all delivered; 3 something is left: refused again, out of time, or interrupted; 74
the letters can't be read or changed; 75 another replay is running; 78 configuration"""
READ_BYTES: Final = 4 << 20
SHOWN: Final = 5
DISTINCT_MAX: Final = 10_000
T = TypeVar("T")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def main(args: Sequence[str]) -> int:
    """Replay, or say what would be."""
    parser = Parser("replay", ABOUT, "logagent replay --config app.yaml --output search --since 2h")
    add_config(parser)
    parser.add_argument("--output", metavar="ID", help="only this output's letters")
    parser.add_argument(
        "--since",
        metavar="TIME",
        type=_time,
        default="",
        help="only letters of this time and later: 2026-11-24T10:00:00Z, or 90m, 2h, 3d ago",
    )
    parser.add_argument(
        "--timeout", metavar="S", type=float, default=0.0, help="give up after so many seconds"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what there is and would be sent; sends nothing"
    )
    options = parser.parse_args(args)
    config = load(config_paths(options.config))
    if config is None:
        return CONFIG
    if options.output and options.output not in config.outputs:
        parser.error(f"no output {options.output!r} (known: {', '.join(config.outputs)})")
    outputs = [options.output] if options.output else list(config.outputs)
    if not options.output:
        _tell_strangers(config)
    if options.dry_run:
        return _show(config, outputs, options.since)
    # Imported here: what only looks doesn't pay for it.
    from logagent.cli import replaying

    return replaying.run(config, outputs, since=options.since, timeout_s=options.timeout)


def _tell_strangers(config: Config) -> None:
    """Say whose letters no output of the configuration sends: of one that was renamed."""
    dead = f"{config.agent.state_dir}/dead"
    with suppress(OSError):
        for name in sorted(set(os.listdir(dead)) - set(config.outputs)):
            with suppress(OSError):
                if count := count_letters(f"{dead}/{name}"):
                    shown = escape(os.fsencode(f"{dead}/{name}"))
                    complain([f"{count:,} letters in {shown} stay: there is no such output"])


def _time(text: str) -> str:
    """A moment as letters have it, "" for none. Raises ArgumentTypeError."""
    if not text:  # argparse hands a default over as well
        return ""
    if match := re.fullmatch(r"([0-9]{1,6})([smhd])", text):
        ago = timedelta(**{_UNITS[match[2]]: int(match[1])})
        return rfc3339((datetime.now(UTC) - ago).timestamp())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        why = f"{text!r} is neither a time (2026-11-24T10:00:00Z) nor how long ago (2h, 3d)"
        raise argparse.ArgumentTypeError(why) from None
    return rfc3339((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _show(config: Config, outputs: Sequence[str], since: str) -> int:
    """Count what is there."""
    for output in outputs:
        refusals: Counter[tuple[str, str]] = Counter()
        files: Counter[str] = Counter()
        count = older = size = 0
        try:
            for letters, kept in _letters(Claims(dead_letter_dir(config, output)), since):
                older += kept
                for letter in letters:
                    count += 1
                    size += len(letter.document)
                    _add(refusals, (f"{letter.status} {letter.kind}", letter.reason))
                    _add(files, letter.file or "(unknown)")
        except OSError as error:
            complain([f"reading dead letters of {output}: {error.strerror}"])
            return 74
        print(f"{output}: {count:,} letters would be sent, {size:,} bytes; {older:,} are older")
        kinds: Counter[str] = Counter()
        for (kind, _), number in refusals.items():
            kinds[kind] += number
        for kind, number in kinds.most_common():
            print(f"  {number:>10,}  {escape(kind.encode())}")
            reasons = [(n, reason) for (k, reason), n in refusals.most_common() if k == kind]
            for n, reason in reasons[:SHOWN]:
                print(f"  {n:>10,}    {escape(reason.encode())}")
            if len(reasons) > SHOWN:
                print(f"              and {len(reasons) - SHOWN:,} other reasons")
        for name, number in files.most_common(SHOWN):
            print(f"  {number:>10,}  of {escape(name.encode())}")
    return 0


def _add(counter: Counter[T], value: T) -> None:
    """Count a value, unless there are too many different ones."""
    if value in counter or len(counter) < DISTINCT_MAX:
        counter[value] += 1


def _letters(claims: Claims, since: str) -> Iterator[tuple[list[DeadLetter], int]]:
    """The letters that a replay would send, a piece of a segment at a time, and how many more are
    older; an agent that goes on beside us may drop a segment meanwhile."""
    for segment in claims.segments():
        at = max(segment.done, 0)
        while lines := claims.read(segment, at, READ_BYTES):
            found = sort_lines(lines, since)
            yield found.letters, len(found.kept)
            at += len(lines)
