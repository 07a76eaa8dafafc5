"""Each engine with the same table in it."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest

from tests.engines.servers import missing, postgres


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Any]:
    """An Ibis connection to a PostgreSQL server of the test's own."""
    if importlib.util.find_spec("psycopg") is None:
        missing("psycopg", "make test installs it")
    with postgres() as address:
        connection = ibis.connect(address)
        yield connection
        connection.disconnect()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An Ibis connection to Spark in this machine's own process."""
    if importlib.util.find_spec("pyspark") is None:
        missing("PySpark", "make test installs it")
    if not (shutil.which("java") or Path(os.environ.get("JAVA_HOME", "-"), "bin", "java").exists()):
        missing("Java, which PySpark needs,", "apt-get install default-jre-headless")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - only where it is installed

    folder = tmp_path_factory.mktemp("spark")
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(folder))
        .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder}")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    yield ibis.pyspark.connect(session)
    session.stop()
