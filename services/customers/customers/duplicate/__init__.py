"""Duplicates 查重: exact ones by code and phone, company-wide; near ones by name and domain, within reach."""
