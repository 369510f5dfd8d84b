"""Product lines 业务线."""
