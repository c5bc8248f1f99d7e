"""What the demo says on a terminal and in a file."""

import io

from logagent.demo.show import NOTES, Screen, Sums


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        """See io."""
        return True


SUMS = Sums(
    written=1_000_000,
    delivered=999_999,
    lost=1,
    doubled=2,
    refused_copies=3,
    rotations=4,
    wire_bytes=1_000_000,
    raw_bytes=8_000_000,
    cpu_s=2.0,
    peak_rss_bytes=32 << 20,
)


def test_a_terminal_has_one_line_that_changes() -> None:
    """Progress overwrites itself, notes stay, each is said once."""
    out = Terminal()
    screen = Screen(out)
    screen.progress(1000, 10)
    screen.progress(2000, 20)
    screen.note({"status": 1})
    screen.note({"status": 2})
    text = out.getvalue()
    assert text.count("\n") == 1
    assert text.count("\r") == 3
    assert "2,000" in text
    assert text.count(NOTES["status"]) == 1


def test_a_file_gets_a_line_now_and_then() -> None:
    """Without a terminal there are no control characters, and not a line for each turn."""
    out = io.StringIO()
    screen = Screen(out)
    for at in range(100):
        screen.progress(at, at)
    assert out.getvalue().count("\n") == 1
    assert "\r" not in out.getvalue()


def test_the_last_line_is_for_programs() -> None:
    """The sums end in `lost N duplicated M`; with nothing done there is no division by zero."""
    out = io.StringIO()
    Screen(out).sums(SUMS)
    assert out.getvalue().splitlines()[-1] == "lost 1 duplicated 2"
    assert "500,000 lines per CPU-second" in out.getvalue()
    assert "32.0 MiB" in out.getvalue()
    Screen(out).sums(SUMS._replace(cpu_s=0.0, wire_bytes=0))
