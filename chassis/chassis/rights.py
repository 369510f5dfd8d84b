"""What each kind of process may do with which tables: a database role each, and no more than its work takes."""

# Of the chassis's tables; a service's own follow `DOMAIN_RIGHTS`.
RIGHTS: dict[str, dict[str, str]] = {
    "api": {
        "outbox": "INSERT",
        "inbox": "",
        "audit": "SELECT, INSERT",
        "audit_unsealed": "SELECT",
        "audit_seals": "SELECT",
        "audit_anchors": "SELECT",
        "idempotency": "SELECT, INSERT, DELETE",
        "org_state": "SELECT",
        "org_early": "",
        "org_units": "SELECT",
        "org_closure": "SELECT",
        "org_people": "SELECT",
        "access": "SELECT, INSERT, UPDATE, DELETE",
        "jobs": "SELECT, INSERT, UPDATE",
        "job_rows": "SELECT",
    },
    "jobs": {
        "outbox": "INSERT",
        "inbox": "",
        "audit": "SELECT, INSERT",
        "audit_unsealed": "",
        "audit_seals": "",
        "audit_anchors": "",
        "idempotency": "",
        "org_state": "SELECT",
        "org_early": "",
        "org_units": "SELECT",
        "org_closure": "SELECT",
        "org_people": "SELECT",
        "access": "SELECT, INSERT, UPDATE, DELETE",
        "jobs": "SELECT, UPDATE, DELETE",
        "job_rows": "SELECT, INSERT, UPDATE, DELETE",
    },
    "worker": {
        "outbox": "INSERT",
        "inbox": "SELECT, INSERT, DELETE",
        "audit": "SELECT, INSERT",
        "audit_unsealed": "SELECT",
        "audit_seals": "SELECT",
        "audit_anchors": "SELECT, INSERT",
        "idempotency": "SELECT, DELETE",
        "org_state": "SELECT, INSERT, UPDATE",
        "org_early": "SELECT, INSERT, DELETE",
        "org_units": "SELECT, INSERT, UPDATE, DELETE",
        "org_closure": "SELECT, INSERT, UPDATE, DELETE",
        "org_people": "SELECT, INSERT, UPDATE, DELETE",
        "access": "SELECT, INSERT, UPDATE, DELETE",
        "jobs": "SELECT",
        "job_rows": "",
    },
    # The relay seals the trail and tells of it; it may change neither rows nor seals.
    "relay": {
        "outbox": "SELECT, INSERT, UPDATE",
        "audit": "SELECT",
        "audit_unsealed": "SELECT, DELETE",
        "audit_seals": "SELECT, INSERT",
    },
}

# Process kinds that work on the service's own tables, and what they may do with them.
DOMAIN_RIGHTS: dict[str, str] = {
    "api": "SELECT, INSERT, UPDATE, DELETE",
    "jobs": "SELECT, INSERT, UPDATE, DELETE",
    "worker": "SELECT, INSERT, UPDATE, DELETE",
}
