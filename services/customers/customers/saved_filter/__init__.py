"""Saved filters 保存的筛选: what a list is narrowed to and ordered by, kept under a name."""
