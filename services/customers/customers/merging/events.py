"""What customers publishes of merges."""

from chassis import clock, outbox
from chassis.envelope import Envelope
from customers.merging.model import Merge
from tongxiao.customers.events.v1 import events_pb2 as pb

MERGED, UNMERGED = "customer.merged.v1", "customer.unmerged.v1"


def customer_merged(merge: Merge) -> Envelope:
    data = pb.CustomerMerged(
        id=str(merge.id),
        winner_id=str(merge.winner_id),
        loser_id=str(merge.loser_id),
        merge_time=clock.stamp(merge.merged_at),
    )
    return outbox.fact("customers", MERGED, data, subject=merge.loser_id, id=merge.id)


def customer_unmerged(merge: Merge) -> Envelope:
    data = pb.CustomerUnmerged(
        id=str(merge.id),
        winner_id=str(merge.winner_id),
        loser_id=str(merge.loser_id),
        unmerge_time=clock.stamp(merge.undone_at),
    )
    return outbox.fact("customers", UNMERGED, data, subject=merge.loser_id)
