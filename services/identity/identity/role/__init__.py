"""Roles 角色."""
