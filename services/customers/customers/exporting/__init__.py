"""Exports 导出: files of the customers and contacts within reach."""
