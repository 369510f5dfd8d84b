"""Employees 员工 and the directory 通讯录."""
