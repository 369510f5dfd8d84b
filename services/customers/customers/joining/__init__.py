"""Asking to join 申请加入 what lies beyond reach, and the answer."""
