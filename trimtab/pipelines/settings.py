"""Kedro's settings for this project, which `kedro run` and `kedro registry list` read."""

from trimtab.pipelines.hooks import HistoryHooks

HOOKS = (HistoryHooks(),)
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry",)
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
