"""Keycloak as a projection of identity: people, groups, realm roles; and drift."""
