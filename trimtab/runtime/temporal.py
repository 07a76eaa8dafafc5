"""The Temporal client, from wherever its address is configured, and the search attributes.

`temporal.address` or `temporal.profile` of the settings come first (the address with Temporal's
credentials where it is TEMPORAL_ADDRESS too); then Temporal's own default
environment (TEMPORAL_ADDRESS and the other TEMPORAL_* variables, the profile "default" of its
configuration file); then the running embedded stack of `home`.
"""

import os
from collections.abc import Sequence
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client, Plugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts.names import SEARCH_ATTRIBUTES
from trimtab.runtime.correlation import CorrelationInterceptor
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.settings import Settings
from trimtab.runtime.settings_sections import TemporalSettings
from trimtab.runtime.stack_addresses import running_stack

_TYPES: Final = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}


async def connect(
    settings: Settings, *, plugins: Sequence[Plugin] = (), lazy: bool = False
) -> Client:
    """The client.

    Args:
        settings: Where to look for the address.
        plugins: For the client, and the workers that are built on it.
        lazy: Connect with the first call rather than now; workers need a client that is not.

    Raises:
        BadConfigurationError: No address anywhere, or a profile that cannot be read.
        RuntimeError: Nothing answers there (never when lazy).
    """
    config = connect_config(settings)
    return await Client.connect(
        config["target_host"],
        namespace=config.get("namespace", "default"),
        api_key=config.get("api_key"),
        tls=config.get("tls"),
        rpc_metadata=config.get("rpc_metadata", {}),
        data_converter=_converter(plugins),
        plugins=list(plugins),
        interceptors=[CorrelationInterceptor()],
        lazy=lazy,
    )


def connect_config(settings: Settings) -> ClientConnectConfig:
    """Address, namespace and credentials; `target_host` is always there.

    Raises `BadConfigurationError` as `connect` does.
    """
    wanted = settings.temporal
    config: ClientConnectConfig = {}
    if wanted.profile or wanted.address in (None, os.environ.get("TEMPORAL_ADDRESS")):
        config = _environment_profile(wanted)
    if wanted.address:
        config["target_host"] = wanted.address
    elif "target_host" not in config and (stack := running_stack(settings.home)):
        config["target_host"] = stack.temporal
    if wanted.namespace:
        config["namespace"] = wanted.namespace
    if "target_host" not in config:
        fault = (
            "temporal.address = None: set TRIMTAB_TEMPORAL__ADDRESS=host:port, or TEMPORAL_ADDRESS"
            " or a profile of Temporal's own configuration file, or start the embedded stack with"
            f" `trimtab up` (none runs for {settings.home.absolute()})"
        )
        raise BadConfigurationError([fault])
    return config


async def missing_search_attributes(client: Client) -> dict[str, str]:
    """Name and type of the search attributes that the namespace lacks.

    Raises `BadConfigurationError` where one exists with another type: it cannot be changed.
    """
    there = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    faults = [
        f"search attribute {name} of namespace {client.namespace} is not of type {kind}: use a"
        " namespace where it is, or remove it with `temporal operator search-attribute remove`"
        for name, kind in SEARCH_ATTRIBUTES.items()
        if there.custom_attributes.get(name, _TYPES[kind]) != _TYPES[kind]
    ]
    if faults:
        raise BadConfigurationError(faults)
    return {
        name: kind
        for name, kind in SEARCH_ATTRIBUTES.items()
        if name not in there.custom_attributes
    }


async def ensure_search_attributes(client: Client) -> None:
    """Add the search attributes that the namespace lacks.

    Raises `BadConfigurationError` with the commands for an operator where we may not.
    """
    missing = await missing_search_attributes(client)
    if not missing:
        return
    try:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: _TYPES[kind] for name, kind in missing.items()},
            )
        )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        raise BadConfigurationError(
            [
                f"search attribute {name} is missing in namespace {client.namespace} and cannot be"
                f" added ({error.message}): run `temporal operator search-attribute create"
                f" --namespace {client.namespace} --name {name} --type {kind}`"
                for name, kind in missing.items()
            ]
        ) from error


def _environment_profile(wanted: TemporalSettings) -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config(profile=wanted.profile)
    except (RuntimeError, OSError) as error:
        fault = (
            f"temporal.profile = {wanted.profile or 'default'!r}: {error}; correct Temporal's"
            " configuration file or TEMPORAL_* variables, or set TRIMTAB_TEMPORAL__ADDRESS"
        )
        raise BadConfigurationError([fault]) from error


def _converter(plugins: Sequence[Plugin]) -> DataConverter:
    """Pydantic's, but where a plugin brings its own the default, which that plugin replaces."""
    brought = any(getattr(plugin, "data_converter", None) is not None for plugin in plugins)
    return DataConverter.default if brought else pydantic_data_converter
