"""The whole configuration, and the rules that hold between its parts.

Knows agent, metadata, inputs and outputs together. Must not read a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct, field

from logagent.config.agent import Agent, Metadata
from logagent.config.fields import clashes
from logagent.config.globs import below, matches
from logagent.config.inputs import Input
from logagent.config.outputs import File, Output
from logagent.config.problems import Rule, enforce, nearest, quote

Id = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9_-]{0,62}$",
        description="Lower-case letters, digits, _ and -; starts with a letter; 63 at most.",
    ),
]


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be configured."""

    agent: Annotated[Agent, Meta(description="The process itself.")] = Agent()
    metadata: Annotated[
        Metadata, Meta(description="What goes into each document besides the event.")
    ] = Metadata()
    inputs: Annotated[dict[Id, Input], Meta(description="What to read, by ids of your choice.")] = (
        field(default_factory=dict)
    )
    outputs: Annotated[
        dict[Id, Output],
        Meta(
            description="Where to send, by ids of your choice. Outputs never wait for each other."
        ),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse combinations that can't work."""
        enforce(self._broken())

    def inputs_of(self, output: str) -> tuple[str, ...]:
        """The ids of the inputs whose lines go to an output, in the configuration's order."""
        chosen = self.outputs[output].inputs
        return tuple(name for name in self.inputs if not chosen or name in chosen)

    def _broken(self) -> Iterator[Rule]:
        if not self.inputs:
            yield Rule(("inputs",), "is empty: there is nothing to read")
        if not self.outputs:
            yield Rule(("outputs",), "is empty: there is nowhere to send to")
        for name in self.outputs:
            yield from self._broken_output(name)
        yield from self._broken_state()
        yield from self._broken_fields()

    def _broken_output(self, name: str) -> Iterator[Rule]:
        output = self.outputs[name]
        here = ("outputs", name)
        for index, chosen in enumerate(output.inputs):
            if chosen not in self.inputs:
                near = nearest(chosen, self.inputs)
                hint = f'; did you mean "{near}"?' if near else ""
                known = ", ".join(self.inputs) or "none"
                yield Rule(
                    (*here, "inputs", index),
                    f"is {quote(chosen)}, but no input has this id (known: {known}){hint}",
                    depends=(("inputs", chosen),),
                )
        for chosen in self.inputs_of(name):
            chunk = self.inputs[chosen].chunk_bytes
            if chunk > output.batch_bytes:
                yield Rule(
                    (*here, "batch_bytes"),
                    f"{output.batch_bytes} is less than chunk_bytes ({chunk}) of the input "
                    f"{chosen}; a chunk must fit into a batch",
                    depends=(("inputs", chosen, "chunk_bytes"), (*here, "inputs")),
                )
        if isinstance(output, File):
            yield from self._broken_file(name, output)

    def _broken_file(self, name: str, output: File) -> Iterator[Rule]:
        for source, options in self.inputs.items():
            for index, glob in enumerate(options.paths):
                read = [
                    path
                    for path in output.paths()
                    if matches(path, glob) and not any(matches(path, e) for e in options.exclude)
                ]
                if read:
                    which = "" if read[0] == output.path else f" as rotated, {read[0]},"
                    yield Rule(
                        ("outputs", name, "path"),
                        f"{which} matches {glob} of the input {source}, so the agent would read "
                        "what it writes; move it, or exclude it".lstrip(),
                        depends=(("inputs", source, "paths", index), ("inputs", source, "exclude")),
                    )
        for other, rival in self.outputs.items():
            if not isinstance(rival, File) or other >= name:
                continue
            if not set(rival.paths()).isdisjoint(output.paths()):
                yield Rule(
                    ("outputs", name, "path"),
                    f"is the file of the output {other} too; give each its own",
                    depends=(("outputs", other, "path"),),
                )

    def _broken_state(self) -> Iterator[Rule]:
        for source, options in self.inputs.items():
            for root in options.roots():
                if below(self.agent.state_dir, root):
                    yield Rule(
                        ("agent", "state_dir"),
                        f"{self.agent.state_dir} is on the log volume, below {root} of the input "
                        f"{source}, where the app can change it; choose a directory elsewhere",
                        depends=(("inputs", source, "paths"),),
                    )

    def _broken_fields(self) -> Iterator[Rule]:
        for source, options in self.inputs.items():
            for name, path in clashes(self.metadata.fields, options.fields).items():
                if name in clashes(self.metadata.fields) or name in clashes(options.fields):
                    continue  # the Struct that has both says so
                yield Rule(
                    ("inputs", source, "fields", *path),
                    f"makes {quote(name)} clash with metadata.fields: a name can't be both a value "
                    "and the parent of others",
                    depends=(("metadata", "fields"),),
                )
