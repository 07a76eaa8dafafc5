"""Translates what a run of Kedro raises to the errors of the pipeline port."""

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.ibis_engine import EngineError, is_transient_error

_MISSING_TABLE_ERRORS = {"TableNotFound"}
"""Names of Ibis's errors about a table that does not exist."""


def find_port_error(error: BaseException | None) -> Refused | Unavailable | None:
    """Return the port's error among the causes of an error; None if it is a bug."""
    while error is not None:
        if isinstance(error, Refused | Unavailable):
            return error
        if is_transient_error(error) or (isinstance(error, EngineError) and error.transient):
            return Unavailable(f"a store cannot be reached now: {_format_error(error)}")
        if isinstance(error, UnreadableError):
            return Refused(f"the history cannot be read: {_format_error(error)}")
        if explanation := _explain_wrong_entry(error):
            return Refused(f"the history cannot be read: {explanation}")
        error = error.__cause__
    return None


def _explain_wrong_entry(error: BaseException) -> str:
    """Return what is wrong with a catalog entry; empty if the error is about something else."""
    if type(error).__name__ in _MISSING_TABLE_ERRORS:
        table = _format_error(error)
        return f"there is no table {table}: correct table_name and database of its entry"
    if isinstance(error, ModuleNotFoundError):
        return f"{error}: install the driver of its engine, such as ibis-framework[postgres]"
    if isinstance(error, AttributeError) and "module 'ibis'" in str(error):
        return f"{_format_error(error).rstrip('. ')}: correct the backend of its entry"
    return ""


def _format_error(error: BaseException) -> str:
    """Return the error's text in one line of at most 400 characters, or its type if it has none."""
    return " ".join(str(error).split())[:400] or type(error).__name__
