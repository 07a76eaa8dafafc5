"""Makes the pictures of the README from real runs, with Chromium.

`.venv/bin/python docs/pictures/make_pictures.py` compares two periods of the shipped car parks and
takes the page, then runs the demo and takes its incident in Temporal's Web UI. Needs `chromium` on
the PATH and two to five minutes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote
from urllib.request import urlopen

import pandas as pd

FOLDER: Final = Path(__file__).resolve().parent
CHECKOUT: Final = FOLDER.parents[1]
TRIMTAB: Final = CHECKOUT / "bin" / "trimtab"
HISTORY: Final = CHECKOUT / "data" / "01_raw" / "birmingham_parking_2016.csv.gz"
DEMO_TIMEOUT_SECONDS: Final = 900.0
RENDER_MILLISECONDS: Final = 20_000
"""Time that a page has to load and draw, in Chromium's virtual clock."""


def main() -> None:
    """Make both pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not on the PATH: install the package chromium")
    with tempfile.TemporaryDirectory() as folder:
        page = compare_periods(Path(folder))
        take_picture(chromium, page.as_uri(), "compare.png", width=1200, height=1240)
        with run_demo(Path(folder)) as web_ui:
            incident = find_incident_page(web_ui)
            take_picture(chromium, incident, "incident.png", width=1400, height=1290)


def compare_periods(folder: Path) -> Path:
    """Compare October with the days before Christmas, and return the page."""
    history = pd.read_csv(HISTORY, parse_dates=["LastUpdated"])
    times = history["LastUpdated"]
    table = pd.DataFrame(
        {
            "time": times,
            "weekday": times.dt.day_name(),
            "hour": times.dt.hour,
            "occupied_share": history["Occupancy"] / history["Capacity"],
        }
    )
    table[times < "2016-10-25"].to_parquet(folder / "october.parquet", index=False)
    table[times >= "2016-12-10"].to_parquet(folder / "before_christmas.parquet", index=False)
    subprocess.run(
        [
            TRIMTAB, "compare", "october.parquet", "before_christmas.parquet",
            "--timestamp", "time", "--min-psi", "0.05", "--html", "drift.html",
        ],
        cwd=folder, check=False,
    )  # fmt: skip
    return folder / "drift.html"


@contextmanager
def run_demo(folder: Path) -> Iterator[str]:
    """Run the demo, and yield the address of its Web UI while its stack is up."""
    log = folder / "demo.log"
    with log.open("w") as output:
        demo = subprocess.Popen(
            [TRIMTAB, "demo", "--yes", "--keep"], cwd=folder, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + DEMO_TIMEOUT_SECONDS
        while "stays up" not in log.read_text():
            if demo.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the demo did not end well:\n{log.read_text()}")
            time.sleep(1.0)
        lines = [each for each in log.read_text().splitlines() if "Temporal Web UI" in each]
        yield lines[-1].split()[-1]
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait()


def find_incident_page(web_ui: str) -> str:
    """Return the address of the timeline of the demo's incident."""
    query = quote('WorkflowType="DriftResponseWorkflow"')
    with urlopen(f"{web_ui}/api/v1/namespaces/default/workflows?query={query}") as answer:
        execution = json.load(answer)["executions"][0]["execution"]
    workflow_id = quote(execution["workflowId"], safe="")
    return f"{web_ui}/namespaces/default/workflows/{workflow_id}/{execution['runId']}/timeline"


def take_picture(chromium: str, url: str, name: str, *, width: int, height: int) -> None:
    """Write a picture of a page; width and height are in pixels."""
    subprocess.run(
        [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--window-size={width},{height}", f"--virtual-time-budget={RENDER_MILLISECONDS}",
            f"--screenshot={FOLDER / name}", url,
        ],
        check=True, capture_output=True, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip


if __name__ == "__main__":
    main()
