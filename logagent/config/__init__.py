"""Every option, as frozen Structs with their help; `load` reads, merges and checks them.

The schema and the reference are made from the same Structs, by `schema.py` and `reference.py`.
"""

from logagent.config.agent import Agent, Metadata
from logagent.config.inputs import Input, TimestampField
from logagent.config.load import load
from logagent.config.model import Config
from logagent.config.needs import Need, needs
from logagent.config.outputs import DataStream, Elasticsearch, File, Output, Stdout
from logagent.config.problems import ConfigError, Problem, show
from logagent.config.secrets import Auth, Tls

__all__ = [
    "Agent",
    "Auth",
    "Config",
    "ConfigError",
    "DataStream",
    "Elasticsearch",
    "File",
    "Input",
    "Metadata",
    "Need",
    "Output",
    "Problem",
    "Stdout",
    "TimestampField",
    "Tls",
    "load",
    "needs",
    "show",
]
