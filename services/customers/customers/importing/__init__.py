"""Imports 导入: files whose rows become customers and contacts."""
