"""Every option, as frozen Structs with their help; `load` reads, merges and checks them.

The schema and the reference are made from the same Structs, by `schema.py` and `reference.py`.
"""

from logagent.config.agent import Agent, Metadata
from logagent.config.inputs import Input, TimestampField
from logagent.config.load import load
from logagent.config.model import Config
from logagent.config.needs import Need, needs
from logagent.config.outputs import (
    S3,
    DataStream,
    Elasticsearch,
    File,
    Http,
    Kafka,
    Loki,
    OtlpHttp,
    Output,
    OverHttp,
    Remote,
    SplunkHec,
    Stdout,
)
from logagent.config.problems import ConfigError, Problem, show
from logagent.config.secrets import Auth, Aws, Tls

__all__ = [
    "S3",
    "Agent",
    "Auth",
    "Aws",
    "Config",
    "ConfigError",
    "DataStream",
    "Elasticsearch",
    "File",
    "Http",
    "Input",
    "Kafka",
    "Loki",
    "Metadata",
    "Need",
    "OtlpHttp",
    "Output",
    "OverHttp",
    "Problem",
    "Remote",
    "SplunkHec",
    "Stdout",
    "TimestampField",
    "Tls",
    "load",
    "needs",
    "show",
]
