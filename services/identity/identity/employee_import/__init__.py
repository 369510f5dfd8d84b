"""Imports 导入 of employees."""
