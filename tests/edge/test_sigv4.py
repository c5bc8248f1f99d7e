"""Signature Version 4: AWS's own examples, a receiver that checks, and where keys come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import botocore.auth  # type: ignore[import-untyped]
import pytest

from logagent.edge.secrets import SecretError
from logagent.edge.sigv4 import KeyFiles, Signer
from tests.edge.signatures import ACCESS, SECRET, Seen, refusal, write_keys
from tests.edge.sts import Sts, serving_sts

AWS_VARIABLES: Final = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ENDPOINT_URL_STS"),
)


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of the machine that the tests run on, and nobody to ask for them."""
    for name in AWS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    """A token service that botocore asks."""
    with serving_sts() as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", served.url)
        yield served


def seen(
    signer: Signer,
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Seen:
    """A request as a receiver sees it."""
    scheme, _, rest = url.partition("://")
    host, slash, target = rest.partition("/")
    assert scheme
    known = {"host": host, **(headers or {})}
    return Seen(method, slash + target, {**known, **signer(method, url, body, known)}, body)


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            "max-keys=2&prefix=J",
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_published_examples(
    query: str, signature: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signatures of the S3 API Reference ("Signature Calculations for the Authorization
    Header", examples GET Bucket Lifecycle and List Objects) are ours."""
    moment = datetime(2013, 5, 24, tzinfo=UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: moment)
    (tmp_path / "access").write_text("AKIAIOSFODNN7EXAMPLE")
    (tmp_path / "secret").write_text("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    keys = KeyFiles(str(tmp_path / "access"), str(tmp_path / "secret"))
    signer = Signer("us-east-1", "s3", keys=keys)
    proof = signer("GET", f"https://examplebucket.s3.amazonaws.com/?{query}", b"", {})
    assert proof["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        f"SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
    )


def test_a_receiver_agrees(tmp_path: Path) -> None:
    """What is signed is what somebody finds who checks by the description: method, path, query,
    headers, body, token. Change any and it isn't."""
    keys = write_keys(tmp_path, token="session/token==")

    def check(service: str, method: str, url: str, **headers: str) -> None:
        signer = Signer("eu-west-1", service, keys=keys)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = seen(signer, method, url, b"body", named)
        assert request.headers["x-amz-security-token"] == "session/token=="
        assert refusal(request, region="eu-west-1", service=service) == ""
        for other in (
            request._replace(method="DELETE"),
            request._replace(target=request.target + "x"),
            request._replace(headers={**request.headers, "host": "other"}),
            request._replace(headers={**request.headers, "x-amz-security-token": "other"}),
        ):
            assert refusal(other, region="eu-west-1", service=service) == "SignatureDoesNotMatch"
        wrong = refusal(request._replace(body=b"other"), region="eu-west-1", service=service)
        assert wrong == "XAmzContentSHA256Mismatch"

    check(
        "es",
        "POST",
        "https://search.example/_bulk?filter_path=errors,items.*.error.type&pipeline=a%20b&z=@",
        content_type="application/x-ndjson",
    )
    check("es", "POST", "https://search.example:8443/a%20b/_bulk")
    check("aoss", "GET", "https://search.example/")
    check(
        "s3",
        "PUT",
        "http://127.0.0.1:9000/bucket/logs/dt%3D2026-11-24/a%21b_c.ndjson.gz",
        x_amz_storage_class="STANDARD_IA",
        x_amz_tagging="a=b&c=d",
        content_type="application/x-ndjson",
        content_encoding="gzip",
    )


def test_keys_are_read_for_each_request(tmp_path: Path) -> None:
    """A key that changes in its file is used at once; a missing one is an error that says where."""
    signer = Signer("eu-west-1", "s3", keys=write_keys(tmp_path, secret="wrong"))
    url = "https://bucket.example/key"
    first = refusal(seen(signer, "PUT", url), region="eu-west-1", service="s3")
    write_keys(tmp_path)
    second = refusal(seen(signer, "PUT", url), region="eu-west-1", service="s3")
    assert (first, second) == ("SignatureDoesNotMatch", "")
    (tmp_path / "secret").unlink()
    with pytest.raises(SecretError, match="secret: No such file"):
        signer("PUT", url, b"", {})


def test_the_usual_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without key files AWS's own ways are taken; what they found is kept until `forget`."""
    signer = Signer("eu-west-1", "s3")
    url = "https://bucket.example/key"
    with pytest.raises(SecretError, match="finding AWS credentials: none in"):
        signer("PUT", url, b"", {})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    request = seen(signer, "PUT", url)
    assert refusal(request, region="eu-west-1", service="s3") == "SignatureDoesNotMatch"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    request = seen(signer, "PUT", url)
    assert refusal(request, region="eu-west-1", service="s3") == "SignatureDoesNotMatch"
    signer.forget()
    assert refusal(seen(signer, "PUT", url), region="eu-west-1", service="s3") == ""
    text = f"[logs]\naws_access_key_id={ACCESS}\naws_secret_access_key={SECRET}\n"
    (tmp_path / "credentials").write_text(text)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    profiled = Signer("eu-west-1", "s3", profile="logs")
    assert refusal(seen(profiled, "PUT", url), region="eu-west-1", service="s3") == ""
    with pytest.raises(SecretError, match=r"profile \(missing\) could not be found"):
        Signer("eu-west-1", "s3", profile="missing")("PUT", url, b"", {})


def test_a_role_is_taken_on(sts: Sts, tmp_path: Path) -> None:
    """With a role the token service is asked for its credentials, once; its refusal is an error
    without the secret in it."""
    role = "arn:aws:iam::123456789012:role/logs"
    keys = write_keys(tmp_path, secret="not-known-to-s3")
    signer = Signer("eu-west-1", "s3", keys=keys, role_arn=role)
    for _ in range(2):
        request = seen(signer, "PUT", "https://bucket.example/key")
        assert refusal(request, region="eu-west-1", service="s3") == ""
        assert request.headers["x-amz-security-token"] == "of-the-role"
    assert [asked["Action"] for asked in sts.asked] == ["AssumeRole"]
    assert (sts.asked[0]["RoleArn"], sts.asked[0]["RoleSessionName"]) == (role, "logagent")
    sts.refuse = True
    signer.forget()
    with pytest.raises(SecretError, match="AccessDenied") as caught:
        signer("PUT", "https://bucket.example/key", b"", {})
    assert "not-known-to-s3" not in str(caught.value)


def test_the_identity_of_a_pod(sts: Sts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account's token, as EKS mounts it, is changed for credentials."""
    (tmp_path / "token").write_text("of-the-service-account")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod")
    signer = Signer("eu-west-1", "es")
    request = seen(signer, "POST", "https://search.example/_bulk")
    assert refusal(request, region="eu-west-1", service="es") == ""
    assert sts.asked[0]["Action"] == "AssumeRoleWithWebIdentity"
    assert sts.asked[0]["WebIdentityToken"] == "of-the-service-account"
