"""Sessions: passports, revocations, and why one may or may not."""
