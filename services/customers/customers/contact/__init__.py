"""Contacts 联系人: the people at customers."""
