"""Contact records 接触记录: what was logged of visits, calls and messages."""
