"""The options of an output: where to, how it is packed, what happens to what is refused.

A closed union on `type`, a module for each kind. Each knows one output at a time; relations to
inputs are in model.py. Must not know what an output does with its options.
"""

from logagent.config.outputs.common import Common, Needed, OverHttp, Remote
from logagent.config.outputs.elasticsearch import DataStream, Elasticsearch
from logagent.config.outputs.http import Http
from logagent.config.outputs.kafka import Kafka
from logagent.config.outputs.local import File, Stdout
from logagent.config.outputs.loki import Loki
from logagent.config.outputs.otlp import OtlpHttp
from logagent.config.outputs.s3 import S3
from logagent.config.outputs.splunk import SplunkHec

__all__ = [
    "S3",
    "Common",
    "DataStream",
    "Elasticsearch",
    "File",
    "Http",
    "Kafka",
    "Loki",
    "Needed",
    "OtlpHttp",
    "Output",
    "OverHttp",
    "Remote",
    "SplunkHec",
    "Stdout",
]

Output = Elasticsearch | Kafka | SplunkHec | Loki | OtlpHttp | Http | S3 | File | Stdout
