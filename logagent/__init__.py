"""logagent: follows an app's log files and delivers each line, from one process beside the app.

The path of a log line, and where each step lives:

    read    follower.py             a chunk of a file, at the offset where reading stopped
    cut     core/cut.py             the last place in it where an event may end
    render  render/program.py       raw events → the rows of one output, one call a chunk
    pack    codecs/packing.py       rows → a body, compressed as they come
    send    edge/http.py, kafka.py, … one attempt, one reply
    judge   codecs/*_reply.py, …    for each row: delivered, duplicate, rejected, or once more
    settle  core/ledger.py          rows final → tickets final → the file's settled prefix grows
    commit  commits.py              the settled positions, durable (checkpoint.py has the slots)

`pipeline.py` drives one output through these steps, `delivery.py` repeats the sends, `rejects.py`
buries what is refused for good, and `replay.py` digs it out; what is special about an output stands
in `codecs/` (pure), `edge/` (I/O), `config/outputs/` (options), and `ends/` joins the three.
`descriptors.py` finds and holds the files for all outputs, `tail.py` takes turns among them;
`build.py` puts the pieces together, `agent.py` is the life of a process, and `cli/` is what people
type.
"""

__version__ = "0.1.0"
