"""The front door: REST, sign-in and aggregates over the services' RPCs."""
