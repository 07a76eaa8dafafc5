"""Connects to Temporal, wherever its address is configured, and adds the search attributes.

Sources, the first that names an address wins:

1. `temporal.address` or `temporal.profile` of the settings; the address with Temporal's
   credentials if it is TEMPORAL_ADDRESS too;
2. Temporal's own environment: TEMPORAL_ADDRESS and the other TEMPORAL_* variables, the profile
   "default" of its configuration file;
3. the running embedded stack of `home`.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
)
from temporalio.client import Client, Plugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from trimtab.contracts.names import SEARCH_ATTRIBUTES
from trimtab.contracts.ports import Unavailable
from trimtab.runtime.correlation import CorrelationInterceptor
from trimtab.runtime.errors import BadConfigurationError, NoTemporalAddressError
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings
from trimtab.runtime.settings_sections import TemporalSettings
from trimtab.runtime.stack_addresses import find_running_stack

_RPC_TIMEOUT: Final = timedelta(seconds=10)
_MAY_NOT_LOOK: Final = {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED}
_TYPES: Final = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
}


async def connect_temporal(
    settings: Settings, *, plugins: Sequence[Plugin] = (), lazy: bool = False
) -> Client:
    """Return a client of the configured server and namespace.

    Args:
        settings: Where to look for the address.
        plugins: For the client, and the workers that are built on it.
        lazy: Connect with the first call rather than now; a worker needs a client that is not lazy.

    Raises:
        BadConfigurationError: No source names an address, or a profile cannot be read.
        RuntimeError: Nothing answers there (never when lazy).
    """
    config = load_connect_config(settings)
    return await Client.connect(
        config["target_host"],
        namespace=config.get("namespace", "default"),
        api_key=config.get("api_key"),
        tls=config.get("tls"),
        rpc_metadata=config.get("rpc_metadata", {}),
        data_converter=_choose_data_converter(plugins),
        plugins=list(plugins),
        interceptors=[CorrelationInterceptor()],
        lazy=lazy,
    )


async def connect_to_namespace(settings: Settings, *, plugins: Sequence[Plugin] = ()) -> Client:
    """Return a client of the configured server, once its namespace is there.

    Raises:
        BadConfigurationError: No source names an address, or a profile cannot be read.
        Unavailable: The server does not answer, or the namespace does not exist yet.
    """
    address = load_connect_config(settings)["target_host"]
    try:
        client = await connect_temporal(settings, plugins=plugins)
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace), timeout=_RPC_TIMEOUT
        )
    except RuntimeError as error:
        msg = f"{address} does not answer: {error}: start Temporal, or correct temporal.address"
        raise Unavailable(msg) from error
    except RPCError as error:
        if error.status in _MAY_NOT_LOOK:
            return client
        msg = f"{address}: {error.message}"
        if error.status is RPCStatusCode.NOT_FOUND:
            msg += f": run `temporal operator namespace create {client.namespace}`"
        raise Unavailable(msg) from error
    return client


def load_connect_config(settings: Settings) -> ClientConnectConfig:
    """Return address, namespace and credentials; `target_host` is always there.

    Raises:
        BadConfigurationError: No source names an address, or a profile cannot be read.
    """
    wanted = settings.temporal
    config: ClientConnectConfig = {}
    if wanted.profile or wanted.address in (None, os.environ.get("TEMPORAL_ADDRESS")):
        config = _load_environment_profile(wanted)
    if wanted.address:
        config["target_host"] = wanted.address
    elif "target_host" not in config and (stack := find_running_stack(settings.home)):
        config["target_host"] = stack.temporal
    if wanted.namespace:
        config["namespace"] = wanted.namespace
    if "target_host" not in config:
        fault = (
            "temporal.address = None: set TRIMTAB_TEMPORAL__ADDRESS=host:port, or TEMPORAL_ADDRESS"
            " or a profile of Temporal's own configuration file, or start the embedded stack with"
            f" `{format_command('up')}` (none runs for {settings.home.absolute()})"
        )
        raise NoTemporalAddressError([fault])
    return config


async def has_worker(client: Client, queue: str, *, activities: bool = True) -> bool:
    """Return whether a worker waits for the activities, or else the workflows, of a queue."""
    kind = (
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        if activities
        else TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    )
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    try:
        answer = await client.workflow_service.describe_task_queue(request, timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.CANCELLED:  # the server unloads the queue just now
            return False
        raise
    return bool(answer.pollers)


async def find_missing_search_attributes(client: Client) -> dict[str, str]:
    """Return name and type of the search attributes that the namespace lacks.

    Raises:
        BadConfigurationError: One exists with another type, which cannot be changed.
    """
    there = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    faults = [
        f"search attribute {name} of namespace {client.namespace} has another type than {kind}: use"
        " another namespace, or remove it with `temporal operator search-attribute remove`"
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

    Raises:
        BadConfigurationError: We may not add them; the message has the commands for an operator.
    """
    missing = await find_missing_search_attributes(client)
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


def _load_environment_profile(wanted: TemporalSettings) -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config(profile=wanted.profile)
    except (RuntimeError, OSError) as error:
        fault = (
            f"temporal.profile = {wanted.profile or 'default'!r}: {error}; correct Temporal's"
            " configuration file or TEMPORAL_* variables, or set TRIMTAB_TEMPORAL__ADDRESS"
        )
        raise BadConfigurationError([fault]) from error


def _choose_data_converter(plugins: Sequence[Plugin]) -> DataConverter:
    """Return Pydantic's converter, or the default one if a plugin replaces it by its own."""
    brought = any(getattr(plugin, "data_converter", None) is not None for plugin in plugins)
    return DataConverter.default if brought else pydantic_data_converter
