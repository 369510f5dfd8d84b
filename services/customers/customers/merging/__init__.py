"""Merging customers 合并, and taking it back."""
