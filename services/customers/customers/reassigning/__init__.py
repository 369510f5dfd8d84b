"""Reassignments 批量转移: many customers get other owners at once, after a preview."""
