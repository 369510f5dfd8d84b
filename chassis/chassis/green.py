"""Makes a process cooperative: eventlet's green threads for a worker. Nothing else may come before it."""

import os
import warnings


def patch() -> None:
    """Patch the standard library, and have psycopg wait where eventlet sees it.

    By default psycopg waits in C, which stops every green thread for as long as a query lasts.
    """
    os.environ["PSYCOPG_WAIT_FUNC"] = "wait_selector"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet

    eventlet.monkey_patch()


def assert_patched() -> None:
    """RuntimeError where this process would block its hub."""
    import psycopg.waiting
    from eventlet.patcher import is_monkey_patched

    if not is_monkey_patched("socket") or not is_monkey_patched("thread"):
        raise RuntimeError("eventlet did not patch this process")
    if psycopg.waiting.wait is not psycopg.waiting.wait_selector:
        raise RuntimeError(f"psycopg waits by {psycopg.waiting.wait}, which blocks eventlet's hub")
