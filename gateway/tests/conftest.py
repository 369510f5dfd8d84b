"""The gateway's fixtures."""

from gateway.testing.fixtures import (
    all_services,
    api,
    gateway_url,
    http,
    one_realm,
    other_key,
    realm,
    services,
    start_gateway,
)

__all__ = [
    "all_services",
    "api",
    "gateway_url",
    "http",
    "one_realm",
    "other_key",
    "realm",
    "services",
    "start_gateway",
]
