"""Checks the servers around Trimtab that are configured or running.

A server that is neither is no fault: `trimtab up` and every backtest start it.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlparse
from urllib.request import urlopen

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from temporalio.service import RPCError

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.registry_access import open_registry
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.errors import BadConfigurationError, NoTemporalAddressError
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings
from trimtab.runtime.stack_addresses import find_redis_url, find_running_stack
from trimtab.runtime.temporal import (
    connect_temporal,
    find_missing_search_attributes,
    load_connect_config,
)

CHECK_TIMEOUT_SECONDS: Final = 5.0
"""How long a server has to answer."""
GEMINI_KEYS: Final = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI")
_OLLAMA_PORT: Final = 11434
_SQLITE: Final = "sqlite:///"


def check_temporal(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether Temporal answers and knows the search attributes."""
    thing = "Temporal"
    try:
        address = load_connect_config(settings)["target_host"]
        missing = asyncio.run(_list_missing_search_attributes(settings))
    except NoTemporalAddressError:
        yield _note_not_running(thing)
    except BadConfigurationError as error:
        yield from (CheckResult.fault(thing, fault) for fault in error.faults)
    except (RuntimeError, RPCError, TimeoutError) as error:
        remedy = "start it, or correct TRIMTAB_TEMPORAL__ADDRESS and its namespace"
        yield CheckResult.fault(thing, f"{address}: {str(error) or 'no answer'}", remedy)
    else:
        yield CheckResult.fine(thing, f"{address} answers")
        if missing:
            found = (
                f"search attributes are missing: {', '.join(missing)}; the bridge (starter.py)"
                " adds them when it starts"
            )
            yield CheckResult.note(thing, found)


async def _list_missing_search_attributes(settings: Settings) -> dict[str, str]:
    async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
        return await find_missing_search_attributes(await connect_temporal(settings))


def check_redis(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the server of the stream answers."""
    url = find_redis_url(settings)
    if url is None:
        yield _note_not_running("Redis")
        return
    shown = _remove_password(url)
    try:
        with redis.Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=CHECK_TIMEOUT_SECONDS,
            socket_connect_timeout=CHECK_TIMEOUT_SECONDS,
        ) as server:
            server.ping()
            entries = server.xlen(settings.redis.stream)
    except (redis.RedisError, OSError) as error:
        remedy = "start it, or correct TRIMTAB_REDIS__URL"
        yield CheckResult.fault("Redis", f"{shown}: {error}", remedy)
    else:
        found = f"{shown} answers; {entries} entries in {settings.redis.stream}"
        yield CheckResult.fine("Redis", found)


def check_mlflow(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the model registry answers."""
    stack = find_running_stack(settings.home)
    uri = settings.mlflow_tracking_uri or (stack.tracking if stack else settings.tracking_uri)
    try:
        if uri.startswith(_SQLITE):
            yield _check_sqlite(Path(uri.removeprefix(_SQLITE)))
        elif uri.startswith(("http://", "https://")):
            _fetch(f"{uri.rstrip('/')}/health")
            yield CheckResult.fine("MLflow", f"{_remove_password(uri)} answers")
        else:
            yield _check_registry(settings, uri)
    except (OSError, ValueError, sqlite3.Error, Refused, Unavailable) as error:
        remedy = "start it, or correct MLFLOW_TRACKING_URI"
        yield CheckResult.fault("MLflow", f"{_remove_password(uri)}: {error}", remedy)


def _check_sqlite(path: Path) -> CheckResult:
    if not path.exists():
        return CheckResult.note("MLflow", f"{path} does not exist yet; it is made on first use")
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.execute("select count(*) from registered_models").fetchone()
    return CheckResult.fine("MLflow", f"{path} can be read")


def _check_registry(settings: Settings, uri: str) -> CheckResult:
    open_registry(settings).champion("trimtab")
    return CheckResult.fine("MLflow", f"{_remove_password(uri)} answers")


def check_chroma(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the server of the knowledge base answers, if there is one."""
    if settings.chroma.url is None:
        yield CheckResult.fine("Chroma", f"embedded, in {settings.home.absolute()}")
        return
    url = str(settings.chroma.url).rstrip("/")
    shown = _remove_password(url)
    try:
        _fetch(f"{url}/api/v2/heartbeat")
    except (OSError, ValueError) as error:
        remedy = "start it, or correct TRIMTAB_CHROMA__URL"
        yield CheckResult.fault("Chroma", f"{shown}: {error}", remedy)
    else:
        yield CheckResult.fine("Chroma", f"{shown} answers")


def check_analyst(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether the configured language model can be asked."""
    model = settings.analyst.model
    thing = f"analyst {model}"
    if model.startswith("ollama/"):
        yield from _check_ollama(settings.ollama_host, model.removeprefix("ollama/"), thing)
    elif model.startswith("gemini-") and not any(os.environ.get(key) for key in GEMINI_KEYS):
        remedy = f"set {GEMINI_KEYS[0]} or {GEMINI_KEYS[1]}"
        yield CheckResult.fault(thing, "there is no key for Gemini", remedy)
    else:
        yield CheckResult.fine(thing, "built in" if model == "analyst/rules" else "has a key")


def _check_ollama(host: str, model: str, thing: str) -> Iterator[CheckResult]:
    url = parse_ollama_host(host)
    try:
        known = {str(each["name"]) for each in json.loads(_fetch(f"{url}/api/tags"))["models"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "start it with `ollama serve`, or correct OLLAMA_HOST"
        yield CheckResult.fault(thing, f"there is no Ollama at {url}: {error}", remedy)
        return
    if known & {model, f"{model}:latest"}:
        yield CheckResult.fine(thing, f"{url} has it")
    else:
        models = ", ".join(sorted(known)) or "no model"
        yield CheckResult.fault(thing, f"{url} has {models}", f"run `ollama pull {model}`")


def parse_ollama_host(host: str) -> str:
    """Return the URL of an OLLAMA_HOST, which may lack the scheme and the port."""
    url = urlparse(host if "//" in host else f"http://{host}")
    name = "127.0.0.1" if url.hostname in {None, "0.0.0.0"} else url.hostname  # noqa: S104 - not bound to
    ports = {"http": _OLLAMA_PORT if "//" not in host else 80, "https": 443}
    return f"{url.scheme}://{name}:{url.port or ports[url.scheme]}"


def check_langfuse(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether both keys are there, or none."""
    keys = (settings.langfuse_public_key, settings.langfuse_secret_key)
    if all(keys):
        yield CheckResult.fine("Langfuse", "both keys are there")
    elif any(keys):
        remedy = "set both LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
        yield CheckResult.fault("Langfuse", "one of two keys is missing", remedy)


def _note_not_running(thing: str) -> CheckResult:
    up = format_command("up")
    found = f"not configured and not running; `{up}` and every backtest start it"
    return CheckResult.note(thing, found)


def _fetch(url: str) -> bytes:
    with urlopen(url, timeout=CHECK_TIMEOUT_SECONDS) as answer:  # noqa: S310 - http and https alone are passed
        content: bytes = answer.read()
    return content


def _remove_password(url: str) -> str:
    parts = urlparse(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
