"""What makes no sense among Elasticsearch's options."""

from __future__ import annotations

import pytest

from logagent.config import DataStream, Elasticsearch
from logagent.config.outputs.choosing import Choose
from logagent.config.problems import BrokenRules
from logagent.config.secrets import Auth, Aws

HOSTS = ("https://es:9200",)
TEAM = {"team": Choose(field="team", allow=("a", "b"), fallback="other")}
CLOUD_ID = (
    "staging:dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyRjZWM2ZjI2MWE3NGJmMjRjZTMzYmI4ODExYjg0Mjk0ZiRjNmMyY2E2"
    "ZDA0MjI0OWFmMGNjN2Q3YTllOTYyNTc0Mw=="
)


def test_a_cloud_id_names_the_server() -> None:
    """As the deployment's page shows it, its name included."""
    output = Elasticsearch(cloud_id=CLOUD_ID, index="a")
    host = "cec6f261a74bf24ce33bb8811b84294f.us-east-1.aws.found.io"
    assert output.endpoints() == (f"https://{host}:443",)


def test_names_with_parts() -> None:
    """The agent's, the lines'; the target is what is written."""
    index = Elasticsearch(hosts=HOSTS, index="app-{namespace}-{team}-%Y", choose=TEAM)
    assert index.target() == "app-{namespace}-{team}-%Y"
    stream = DataStream(dataset="{container}", namespace="{namespace|default}.{team}")
    output = Elasticsearch(hosts=HOSTS, data_stream=stream, choose=TEAM)
    assert output.target() == "logs-{container}-{namespace|default}.{team}"


def test_what_makes_no_sense_is_told() -> None:
    """Unknown names, dates in a data stream, a choice that isn't used, two kinds of credentials."""
    with pytest.raises(BrokenRules, match=r"has \{nmespace\}"):
        Elasticsearch(hosts=HOSTS, index="a-{nmespace}")
    with pytest.raises(BrokenRules, match="no dates"):
        Elasticsearch(hosts=HOSTS, data_stream=DataStream(dataset="x_%Y"))
    with pytest.raises(BrokenRules, match="has capital letters"):
        DataStream(namespace="X{pod}")
    with pytest.raises(BrokenRules, match="is not used"):
        Elasticsearch(hosts=HOSTS, index="a", choose=TEAM)
    aws = Aws(region="eu-central-1")
    with pytest.raises(BrokenRules, match="besides auth"):
        Elasticsearch(hosts=HOSTS, index="a", aws=aws, auth=Auth(token_file="/t"))
    with pytest.raises(BrokenRules, match="isn't AWS's"):
        Elasticsearch(cloud_id=CLOUD_ID, index="a", aws=aws)


def test_the_signing_key_s_files_are_needed() -> None:
    """`check` looks for them as for other secrets."""
    aws = Aws(region="eu-central-1", access_key_file="/a", secret_key_file="/b")
    output = Elasticsearch(hosts=HOSTS, index="a", aws=aws)
    assert [need.path for need in output.files()] == ["/a", "/b"]
