#!/bin/sh
# Creates the namespace unless it is there. Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and RETENTION.
# An event cannot open a second incident for as long as the first one's history is retained.
set -eu

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null
