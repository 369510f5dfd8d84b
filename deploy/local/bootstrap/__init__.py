"""First stage: from a bare machine to a complete .venv and .cache. Standard library only."""
