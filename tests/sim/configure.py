"""The configuration of a plan. Sizes are below what `load` would let a user write."""

from __future__ import annotations

from typing import Literal

from logagent.config.agent import Agent as AgentOptions
from logagent.config.inputs import Input
from logagent.config.model import Config
from logagent.config.outputs import Elasticsearch, File, Kafka, Output, SplunkHec
from tests.sim.fs import ROOT
from tests.sim.kafka_cluster import PORT, TOPIC
from tests.sim.outputs import OutputPlan
from tests.sim.plan import Plan


def configure(plan: Plan) -> Config:
    """The whole configuration."""
    pattern = "*.log" if plan.narrow_glob else "*.log*"
    return Config(
        agent=AgentOptions(
            state_dir="/state",
            commit_interval_s=plan.commit_s,
            scan_interval_s=plan.scan_s,
            poll_interval_s=plan.poll_s,
        ),
        inputs={
            "app": Input(
                paths=(f"{ROOT}/{pattern}",),
                format=plan.format,
                chunk_bytes=plan.chunk_bytes,
                line_bytes_max=plan.line_bytes_max,
                rotate_wait_s=plan.rotate_wait_s,
            )
        },
        outputs={each.name: _output(each) for each in plan.outputs},
    )


def _output(plan: OutputPlan) -> Output:
    match plan.kind:
        case "file":
            return File(
                path=f"/out/{plan.name}.ndjson",
                linger_s=plan.linger_s,
                batch_bytes=plan.batch_bytes,
            )
        case "kafka":
            return _kafka(plan)
        case "splunk_hec":
            return _splunk(plan)
        case "elasticsearch":
            return Elasticsearch(
                hosts=("http://es:9200",),
                index="logs",
                ids=plan.ids,
                compression="gzip" if plan.gzip else "none",
                on_reject=plan.on_reject,
                retry_max_s=plan.retry_max_s,
                linger_s=plan.linger_s,
                batch_bytes=plan.batch_bytes,
                slots=plan.slots,
            )


def _kafka(plan: OutputPlan) -> Kafka:
    assert plan.kafka is not None
    return Kafka(
        bootstrap_servers=(f"{plan.name}-0:{PORT}",),
        topic=TOPIC,
        key="file" if plan.kafka.keyed else "none",
        compression=plan.kafka.compression,
        max_message_bytes=plan.kafka.message_bytes,
        timeout_s=plan.kafka.timeout_s,
        on_reject=_reject(plan),
        retry_max_s=plan.retry_max_s,
        linger_s=plan.linger_s,
        batch_bytes=plan.batch_bytes,
        slots=plan.slots,
    )


def _splunk(plan: OutputPlan) -> SplunkHec:
    assert plan.hec is not None
    return SplunkHec(
        hosts=tuple(f"http://{plan.name}-{number}:8088" for number in range(plan.hec.hosts)),
        token_file="/secrets/token",
        ids=plan.ids,
        acks="required" if plan.hec.has_acks else "auto",
        ack_poll_s=plan.hec.poll_s,
        ack_timeout_s=plan.hec.timeout_s,
        compression="gzip" if plan.gzip else "none",
        on_reject=_reject(plan),
        retry_max_s=plan.retry_max_s,
        linger_s=plan.linger_s,
        batch_bytes=plan.batch_bytes,
        slots=plan.slots,
    )


def _reject(plan: OutputPlan) -> Literal["dead_letter", "drop", "block"]:
    assert plan.on_reject != "wrap"
    return plan.on_reject
