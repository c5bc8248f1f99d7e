"""The oracle has teeth: planted bugs are found, each within a hundred seeds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.museum import BUGS, BUGS_OF_OUTPUTS, Bug, hunt, plant


@pytest.mark.slow
@pytest.mark.parametrize("bug", [*BUGS, *BUGS_OF_OUTPUTS], ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug, tmp_path: Path) -> None:
    """The simulator reports the bug, by an invariant and not by a crash of the simulator."""
    plant(bug, tmp_path)
    result = hunt(bug, tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "seed " in result.stdout
    assert "Broken: " in result.stdout or "AssertionError" in result.stdout, result.stdout
