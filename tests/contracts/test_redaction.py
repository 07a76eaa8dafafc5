"""A password of an address is never in what people, logs and histories get."""

import pytest

from trimtab.contracts.ports import Refused
from trimtab.contracts.redaction import redact_passwords
from trimtab.runtime.errors import BadConfigurationError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:s3cret@cache:6379/0", "redis://:***@cache:6379/0"),
        ("at redis://me:s3cret@cache: refused", "at redis://me:***@cache: refused"),
        ("postgresql+psycopg://me:s3/c@r:et@db/shop", "postgresql+psycopg://me:***@db/shop"),
        ("'HTTPS://me:s3cret@mlflow', twice https://a:b@c", "'HTTPS://me:***@mlflow', twice https://a:***@c"),
        ("postgresql://db/shop?user=me&password=s3cret&sslmode=on", "postgresql://db/shop?user=me&password=***&sslmode=on"),
        ("host=db password=s3cret", "host=db password=***"),
        ("https://api.example?access_token=s3cret", "https://api.example?access_token=***"),
        # What holds no password stays.
        ("http://127.0.0.1:5000/health", "http://127.0.0.1:5000/health"),
        ("postgres://ada@db/shop?table=sales", "postgres://ada@db/shop?table=sales"),
        ("ask owner@example.org: today", "ask owner@example.org: today"),
        ("sqlite:////srv/.trimtab/mlflow.db", "sqlite:////srv/.trimtab/mlflow.db"),
        ("monkey=s3cret", "monkey=s3cret"),
    ],
)  # fmt: skip
def test_passwords_are_hidden_and_nothing_else_is(text: str, shown: str) -> None:
    assert redact_passwords(text) == shown


def test_the_errors_of_trimtab_hold_no_password() -> None:
    url = "redis://me:s3cret@cache"

    faults = BadConfigurationError([f"redis.url = {url!r}: no", "second"]).faults

    assert "s3cret" not in str(Refused(f"{url} does not answer"))
    assert faults == ["redis.url = 'redis://me:***@cache': no", "second"]
