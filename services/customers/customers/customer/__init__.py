"""Customers 客户: facts, assignments per product line, shares, the overview."""
