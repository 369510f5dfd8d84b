"""The gRPC server of a service: grpcio's threads, one per database connection."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.pipeline import Pipeline
from chassis.rpc import Rpc

log = logging.getLogger(__name__)

OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 2 * 1024 * 1024),
    ("grpc.max_connection_age_ms", 10 * 60 * 1000),
    ("grpc.max_connection_age_grace_ms", 30 * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)


def build(pipeline: Pipeline, *, listen: str, threads: int) -> tuple[grpc.Server, int]:
    """A server for the pipeline's RPCs, not yet started, and its port. Beyond `threads` × 8 calls it refuses more."""
    server = grpc.server(ThreadPoolExecutor(threads), options=OPTIONS, maximum_concurrent_rpcs=threads * 8)
    for service, rpcs in _by_service(pipeline.rpcs).items():
        handlers = {rpc.name: pipeline.handler(rpc) for rpc in rpcs}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    checks = health.HealthServicer()
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    port = server.add_insecure_port(listen)
    if not port:
        raise OSError(f"cannot listen on {listen}")
    return server, port


def _by_service(rpcs: Sequence[Rpc]) -> dict[str, list[Rpc]]:
    services: dict[str, list[Rpc]] = {}
    for rpc in rpcs:
        services.setdefault(rpc.path.split("/")[1], []).append(rpc)
    return services
