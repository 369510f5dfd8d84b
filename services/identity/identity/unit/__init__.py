"""Units 组织单元 and the dated tree they form."""
