"""Tongxiao's customers service."""
