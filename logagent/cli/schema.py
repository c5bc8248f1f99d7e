"""`logagent schema`: the configuration's JSON Schema."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from logagent.cli.usage import Parser
from logagent.config.schema import schema

ABOUT = """\
Print the JSON Schema (draft-07) of the configuration. Editors complete and check with it when the
YAML file starts with:
  # yaml-language-server: $schema=./schema.json"""


def main(args: Sequence[str]) -> int:
    """Print the schema."""
    Parser("schema", ABOUT, "logagent schema > schema.json").parse_args(args)
    sys.stdout.write(schema())
    return 0
