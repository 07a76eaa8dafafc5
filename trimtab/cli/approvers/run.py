"""Runs `trimtab approvers new`: makes a key, and prints the lines for the policy."""

from pydantic import TypeAdapter, ValidationError

from policies.approval_signature import compute_key_fingerprint, format_public_key
from trimtab.adapters.approver_key import create_approver_key, locate_approver_key
from trimtab.cli.console import open_console, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.contracts.approvers import ApproverName
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.files.yaml_text import format_yaml
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.local_user import get_local_user
from trimtab.runtime.paths import local_conf
from trimtab.runtime.settings import load_settings


def run_new_approver(name: str) -> ExitCode:
    """Make the key if there is none, and print what to add to the policy.

    Raises `BadConfigurationError` for a name that no approver may have, and `ApproverKeyError`.
    """
    try:
        TypeAdapter(ApproverName).validate_python(name)
    except ValidationError as error:
        raise BadConfigurationError(format_validation_errors(error, whole="NAME")) from None
    path = locate_approver_key(load_settings())
    key, is_new = create_approver_key(path)
    console = open_console()
    public = format_public_key(key, comment=name)
    state = "made now, keep it" if is_new else "was there already"
    print_unbroken(console, f"Key: {path} ({state}), {compute_key_fingerprint(public)}")
    console.print(f"Add to {local_conf() / 'policy.yml'}, where bridge and workers run:\n")
    for line in format_yaml({"approvers": {name: {"keys": [public]}}}).splitlines():
        print_unbroken(console, line)
    if name != get_local_user():
        console.print(f"\nThen answer with --as {name!r}, or set TRIMTAB_APPROVER__NAME={name!r}.")
    return ExitCode.OK
