"""AuditService, alike in every service: message → what is reached or verified → message."""

from typing import Any

from google.protobuf.struct_pb2 import Struct

from chassis import anchors, clock, trail
from chassis.audit_fields import Teller
from chassis.call import Call
from chassis.errors import refuse
from chassis.ids import NIL
from chassis.verifying import PAGE, Finding, Walk
from tongxiao.common.v1 import audit_pb2 as pb

# Rows an answer of VerifyAudit compares before it asks to be called again; a seal holds one at least.
STRETCH = 20_000


def list_audit(request: pb.ListAuditRequest, call: Call) -> pb.ListAuditResponse:
    found = trail.page(call, request)
    teller, names = Teller(call, found.rows), trail.names(call.session, found.rows)
    entries = [_entry(row, teller, names.get(row.actor_id, "")) for row in found.rows]
    return pb.ListAuditResponse(entries=entries, next_page_token=found.next_token)


def verify_audit(request: pb.VerifyAuditRequest, call: Call) -> pb.VerifyAuditResponse:
    """Refuses COMPANY_WIDE_ONLY who does not govern the whole company: what is wrong may concern any record."""
    _demand_everything(call)
    heads = [(anchor.seal, anchor.hash) for anchor in request.anchors.anchors]
    connection = call.session.connection(execution_options={"reach": "verifying the trail"})
    walk = Walk(connection, heads, after=request.after_seal)
    found = list(walk.stretch(most_rows=STRETCH))
    if walk.complete:
        found += walk.unsealed(everywhere=False)
    if not request.HasField("anchors"):
        found.append(
            Finding(pb.AUDIT_FAULT_ANCHORS_MISSING, "what another service keeps of the chain was not to be had")
        )
    told = [_finding(finding) for finding in found]
    return pb.VerifyAuditResponse(findings=told, rows=walk.rows, last_seal=walk.after, complete=walk.complete)


def list_audit_anchors(request: pb.ListAuditAnchorsRequest, call: Call) -> pb.ListAuditAnchorsResponse:
    """Refuses COMPANY_WIDE_ONLY as verifying does."""
    _demand_everything(call)
    until = request.after_seal + STRETCH + PAGE
    kept = anchors.kept(call.session, request.service, after=request.after_seal, until=until)
    told = [pb.AuditAnchor(seal=seal, hash=digest) for seal, digest in kept]
    return pb.ListAuditAnchorsResponse(anchors=pb.AuditAnchors(anchors=told))


def _demand_everything(call: Call) -> None:
    if not call.read_scope.everything:
        raise refuse("COMPANY_WIDE_ONLY")


def _entry(row: Any, teller: Teller, actor_name: str) -> pb.AuditEntry:
    return pb.AuditEntry(
        id=str(row.id),
        time=clock.stamp(row.at),
        actor_id=str(row.actor_id) if row.actor_id and row.actor_id != NIL else "",
        actor_name=actor_name,
        post_ids=[str(post) for post in row.post_ids or ()],
        action=row.action,
        resource=row.resource,
        resource_id=row.resource_id,
        unit_ids=sorted({str(unit) for unit in row.unit_ids or ()}),
        before=_struct(teller.fields(row, row.before)),
        after=_struct(teller.fields(row, row.after)),
        origin=row.origin or "",
        trace_id=row.trace_id or "",
    )


def _struct(told: dict[str, Any] | None) -> Struct | None:
    if told is None:
        return None
    made = Struct()
    made.update(told)
    return made


def _finding(found: Finding) -> pb.AuditFinding:
    return pb.AuditFinding(
        fault=found.fault,
        seal=found.seal,
        entry_id=str(found.entry_id) if found.entry_id else "",
        resource=found.resource,
        resource_id=found.resource_id,
        text=found.text,
    )
