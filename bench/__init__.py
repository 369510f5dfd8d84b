"""Measurements of the product, written to RESULTS.md as ratios within one run."""
