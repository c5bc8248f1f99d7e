"""logagent: follows an app's log files and delivers each line, from one process beside the app.

The path of a log line, and where each step lives:

    read    tail.py                 a chunk of a file, at the offset where reading stopped
    cut     core/cut.py             the last place in it where an event may end
    render  render/program.py       raw events → the rows of one output, one call a chunk
    pack    codecs/*.py             rows → a body, compressed as they come
    send    edge/http.py, …         one attempt, one reply
    judge   codecs/*.py             for each row: delivered, duplicate, rejected, or once more
    settle  core/ledger.py          rows final → tickets final → the file's settled prefix grows
    commit  checkpoint.py           the settled positions, durable

`pipeline.py` drives one output through these steps; `descriptors.py` finds and holds the files for
all of them; `app.py` puts the pieces together; `cli/` is what people type.
"""

__version__ = "0.1.0"
