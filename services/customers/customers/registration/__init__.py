"""Registrations 报备: who came first is protected."""
