"""Posts 岗位 and tenures 任职."""
