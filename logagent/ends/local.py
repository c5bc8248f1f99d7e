"""The ends of the outputs that stay on this machine.

Knows which option goes to which part. Must not know how a row is framed or written.
"""

from logagent.codecs.ndjson import DISK_FULL, NdjsonCodec
from logagent.config.outputs import File, Stdout
from logagent.edges import Edges
from logagent.ports import Sink


def codec(output: File | Stdout) -> NdjsonCodec:  # noqa: ARG001 - both alike
    """A document a line."""
    return NdjsonCodec()


def sink(output: File | Stdout, edges: Edges) -> Sink:
    """A file, or standard output."""
    if isinstance(output, File):
        from logagent.edge.file import FileJournal, FileSink, Rotation

        size, keep = output.rotate_bytes, output.keep
        journal = FileJournal(
            output.path,
            offload=edges.offload,
            rotation=Rotation(size, keep) if size else None,
            durable=output.fsync == "batch",
        )
        return FileSink(journal, disk_full=DISK_FULL)
    from logagent.edge.stdout import StdoutSink

    return StdoutSink()
