from pathlib import Path

import pytest

from runtime.servers import MlflowUi, serve
from tests.servers import start_in


@pytest.mark.e2e
async def test_mlflows_page_is_served_when_asked_for(tmp_path: Path) -> None:
    page = MlflowUi(f"sqlite:///{tmp_path / 'mlflow.db'}")

    child, ports = await serve(page, lambda *command: start_in(tmp_path, *command), patience=200)
    try:
        assert await page.is_ready(ports)
    finally:
        await child.stop()
