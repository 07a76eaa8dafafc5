"""Checks the servers around Trimtab that are configured or running.

What is neither is no fault: `trimtab up` and every backtest start it.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlparse
from urllib.request import urlopen

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from temporalio.service import RPCError

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import running_stack
from trimtab.runtime.temporal import connect, connect_config, missing_search_attributes

PATIENCE: Final = 5.0
"""Seconds that a server has to answer."""
_EMBEDDED: Final = "none configured or running: `trimtab up`, and every backtest, starts one"
_OLLAMA_PORT: Final = 11434
GEMINI_KEYS: Final = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI")


def check_temporal(settings: Settings) -> Iterator[CheckResult]:
    """Whether Temporal answers and knows the search attributes."""
    thing = "Temporal"
    try:
        address = connect_config(settings)["target_host"]
    except BadConfigurationError as error:
        unset = not settings.temporal.profile and "temporal.address = None" in str(error)
        yield (
            CheckResult.note(thing, _EMBEDDED)
            if unset
            else CheckResult.fault(thing, str(error), "correct it there")
        )
        return
    try:
        missing = asyncio.run(_missing_search_attributes(settings))
    except BadConfigurationError as error:
        yield from (CheckResult.fault(thing, said, "as it says") for said in error.faults)
    except (RuntimeError, RPCError, TimeoutError) as error:
        remedy = "start it, or correct TRIMTAB_TEMPORAL__ADDRESS and its namespace"
        yield CheckResult.fault(thing, f"{address}: {str(error) or 'no answer'}", remedy)
    else:
        yield CheckResult.fine(thing, f"{address} answers")
        if missing:
            said = f"search attributes not there yet: {', '.join(missing)}"
            yield CheckResult.note(thing, said, "the bridge (starter.py) adds them when it starts")


async def _missing_search_attributes(settings: Settings) -> dict[str, str]:
    async with asyncio.timeout(PATIENCE):
        return await missing_search_attributes(await connect(settings))


def check_redis(settings: Settings) -> Iterator[CheckResult]:
    """Whether the server of the stream answers."""
    stack = running_stack(settings.home)
    url = str(settings.redis.url) if settings.redis.url else stack.redis if stack else None
    if url is None:
        yield CheckResult.note("Redis", _EMBEDDED)
        return
    shown = urlparse(url)._replace(netloc=urlparse(url).netloc.rpartition("@")[2]).geturl()
    try:
        with redis.Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
        ) as server:
            server.ping()
            waiting = server.xlen(settings.redis.stream)
    except (redis.RedisError, OSError) as error:
        yield CheckResult.fault(
            "Redis", f"{shown}: {error}", "start it, or correct TRIMTAB_REDIS__URL"
        )
    else:
        yield CheckResult.fine(
            "Redis", f"{shown} answers; {waiting} entries in {settings.redis.stream}"
        )


def check_mlflow(settings: Settings) -> Iterator[CheckResult]:
    """Whether the model registry answers."""
    stack = running_stack(settings.home)
    uri = settings.mlflow_tracking_uri or (stack.tracking if stack else settings.tracking_uri)
    remedy = "start it, or correct MLFLOW_TRACKING_URI"
    try:
        if uri.startswith("sqlite:///"):
            yield _sqlite(Path(uri.removeprefix("sqlite:///")))
        elif uri.startswith(("http://", "https://")):
            _get(f"{uri.rstrip('/')}/health")
            yield CheckResult.fine("MLflow", f"{_without_secret(uri)} answers")
        else:
            yield _registry(settings, uri)
    except (OSError, ValueError, sqlite3.Error, Refused, Unavailable) as error:
        yield CheckResult.fault("MLflow", f"{_without_secret(uri)}: {error}", remedy)


def _sqlite(path: Path) -> CheckResult:
    if not path.exists():
        return CheckResult.note("MLflow", f"{path} is made on first use")
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.execute("select count(*) from registered_models").fetchone()
    return CheckResult.fine("MLflow", f"{path} can be read")


def _registry(settings: Settings, uri: str) -> CheckResult:
    from trimtab.adapters.registry.model_registry import MlflowRegistry  # noqa: PLC0415 - three seconds

    MlflowRegistry(settings=settings).champion("trimtab")
    return CheckResult.fine("MLflow", f"{_without_secret(uri)} answers")


def check_chroma(settings: Settings) -> Iterator[CheckResult]:
    """Whether the server of the knowledge base answers, where there is one."""
    if settings.chroma.url is None:
        yield CheckResult.fine("Chroma", f"embedded, in {settings.home.absolute()}")
        return
    url = str(settings.chroma.url).rstrip("/")
    try:
        _get(f"{url}/api/v2/heartbeat")
    except (OSError, ValueError) as error:
        yield CheckResult.fault(
            "Chroma", f"{url}: {error}", "start it, or correct TRIMTAB_CHROMA__URL"
        )
    else:
        yield CheckResult.fine("Chroma", f"{url} answers")


def check_analyst(settings: Settings) -> Iterator[CheckResult]:
    """Whether the configured language model can be asked."""
    model = settings.analyst.model
    thing = f"analyst {model}"
    if model.startswith("ollama/"):
        yield from _check_ollama(settings.ollama_host, model.removeprefix("ollama/"), thing)
    elif model.startswith("gemini-") and not any(os.environ.get(key) for key in GEMINI_KEYS):
        yield CheckResult.fault(
            thing, "no key for Gemini", f"set {GEMINI_KEYS[0]} or {GEMINI_KEYS[1]}"
        )
    else:
        yield CheckResult.fine(thing, "built in" if model == "analyst/rules" else "has a key")


def _check_ollama(host: str, model: str, thing: str) -> Iterator[CheckResult]:
    url = ollama_url(host)
    try:
        known = {str(each["name"]) for each in json.loads(_get(f"{url}/api/tags"))["models"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "start it with `ollama serve`, or correct OLLAMA_HOST"
        yield CheckResult.fault(thing, f"no Ollama at {url}: {error}", remedy)
        return
    if known & {model, f"{model}:latest"}:
        yield CheckResult.fine(thing, f"{url} has it")
    else:
        there = ", ".join(sorted(known)) or "no model"
        yield CheckResult.fault(thing, f"{url} has {there}", f"`ollama pull {model}`")


def ollama_url(host: str) -> str:
    """Ollama takes hosts without scheme and port, too."""
    url = urlparse(host if "//" in host else f"http://{host}")
    name = "127.0.0.1" if url.hostname in {None, "0.0.0.0"} else url.hostname  # noqa: S104 - not bound to
    usual = {"http": _OLLAMA_PORT if "//" not in host else 80, "https": 443}
    return f"{url.scheme}://{name}:{url.port or usual[url.scheme]}"


def check_langfuse(settings: Settings) -> Iterator[CheckResult]:
    """Whether both keys are there, or none."""
    keys = (settings.langfuse_public_key, settings.langfuse_secret_key)
    if all(keys):
        yield CheckResult.fine("Langfuse", "both keys are there")
    elif any(keys):
        yield CheckResult.fault(
            "Langfuse", "one key of two", "set LANGFUSE_PUBLIC_KEY and _SECRET_KEY"
        )


def _get(url: str) -> Any:  # noqa: ANN401 - bytes, which urllib calls Any
    with urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - http and https alone are passed
        return answer.read()


def _without_secret(url: str) -> str:
    parts = urlparse(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
