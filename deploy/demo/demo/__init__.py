"""A made-up company to try the product with: the same from the same seed and day."""
