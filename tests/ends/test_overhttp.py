"""What outputs over HTTP are joined from: signatures."""

from __future__ import annotations

from pathlib import Path

from logagent.config import Aws
from logagent.ends.overhttp import signer
from tests.edge.signatures import SECRET, write_keys


def test_options_reach_the_signature(tmp_path: Path) -> None:
    """Region and service stand in the signature's scope; the output's own service is only the
    default; the token is sent."""
    keys = write_keys(tmp_path, token="session")

    def scope(service: str) -> str:
        aws = Aws(
            region="eu-west-1",
            service=service,
            access_key_file=keys.access,
            secret_key_file=keys.secret,
            session_token_file=keys.token,
        )
        proof = signer(aws, "es")("GET", "https://x.example/", b"", {})
        assert proof["x-amz-security-token"] == "session"
        assert SECRET not in str(proof)
        return proof["authorization"].split(",")[0].split("/", 2)[2]

    assert scope("") == "eu-west-1/es/aws4_request"
    assert scope("aoss") == "eu-west-1/aoss/aws4_request"
