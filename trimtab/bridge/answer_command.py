"""Builds the commands that the approval page gives a person."""

import ipaddress
import shlex

from pydantic import ValidationError

from trimtab.contracts.approval import TemporalCommand
from trimtab.runtime.paths import command_prefix, temporal_command


def build_answer_command(address: str, namespace: str) -> TemporalCommand:
    """Return the commands that reach the Temporal server at an address (host:port).

    A server on this machine is asked from this machine, so the programs are named with their
    paths. For any other server the person may be anywhere, and uses programs of their own.
    """
    program, trimtab = "temporal", "trimtab"
    if _is_loopback(address):
        program, trimtab = shlex.split(temporal_command())[0], shlex.split(command_prefix())[0]
    try:
        return TemporalCommand(
            program=program, address=address, namespace=namespace, trimtab=trimtab
        )
    except ValidationError:
        # An address in an unusual form: the person's own profile names the server.
        return TemporalCommand()


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
