"""Packages named like their member's folder are imported first: else pytest takes the folder for the package."""

import gateway  # noqa: F401
