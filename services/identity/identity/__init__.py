"""Tongxiao's identity service."""
