"""Builds the `temporal` command that the approval page gives a person."""

import ipaddress
import shlex

from pydantic import ValidationError

from trimtab.contracts.approval import TemporalCommand
from trimtab.runtime.paths import temporal_command


def build_answer_command(address: str, namespace: str) -> TemporalCommand:
    """Return the command that reaches the Temporal server at an address (host:port).

    A server on this machine is asked from this machine, so the program is named with its path. For
    any other server the person may be anywhere, and uses a `temporal` of their own.
    """
    program = shlex.split(temporal_command())[0] if _is_loopback(address) else "temporal"
    try:
        return TemporalCommand(program=program, address=address, namespace=namespace)
    except ValidationError:
        # An address in an unusual form: the person's own profile names the server.
        return TemporalCommand()


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
