"""The overview of a customer (客户360): everything that belongs to it in one call."""
