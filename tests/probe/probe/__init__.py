"""A tiny service that projects customers, so that promises about events meet a real consumer."""
