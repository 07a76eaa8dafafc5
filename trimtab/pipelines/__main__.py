"""Runs one pipeline by hand: `python -m trimtab.pipelines monitoring --params '{"model": …}'`."""

import argparse
import json
import sys

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.pipelines.session import run_pipeline


def main() -> int:
    """Print the report as JSON and return 0, or print the reason of a failure and return 1."""
    parser = argparse.ArgumentParser(prog="python -m trimtab.pipelines", description=__doc__)
    parser.add_argument("pipeline", help="training, monitoring, retraining, evaluation, …")
    parser.add_argument("--params", default="{}", type=json.loads, help="a JSON object")
    arguments = parser.parse_args()
    try:
        report = run_pipeline(arguments.pipeline, arguments.params)
    except (Refused, Unavailable) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{json.dumps(report, indent=2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
