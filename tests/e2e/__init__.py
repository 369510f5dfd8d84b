"""The whole platform as a person meets it: over HTTP, with real sign-ins."""
