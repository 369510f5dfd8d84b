"""The servers the platform stands on. Each module prepares its files, describes its programs, names its addresses."""
