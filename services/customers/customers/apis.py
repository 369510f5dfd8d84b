"""What this service serves."""

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from chassis import audit_api
from chassis.rpc import Api
from customers.contact import api as contact
from customers.contact import key_model
from customers.contact_record import api as contact_record
from customers.customer import api as customer
from customers.duplicate import api as duplicate
from customers.duplicate import operations as duplicates
from customers.exporting import api as exporting
from customers.importing import api as importing
from customers.joining import api as joining
from customers.joining import operations as joins
from customers.merging import api as merging
from customers.product_line import api as product_line
from customers.reassigning import api as reassigning
from customers.refusals import refuse
from customers.registration import api as registration
from customers.registration import operations as registrations
from customers.saved_filter import api as saved_filter
from customers.settings import Settings
from tongxiao.customers.v1 import (
    audit_pb2,
    contact_pb2,
    contact_record_pb2,
    customer_pb2,
    duplicate_pb2,
    export_job_pb2,
    import_job_pb2,
    join_request_pb2,
    merge_pb2,
    product_line_pb2,
    reassignment_job_pb2,
    registration_pb2,
    saved_filter_pb2,
)

CONSTRAINTS = {
    "uq_product_lines_code": ("CODE_TAKEN", "product_line.code"),
    "uq_customers_credit_code": ("CREDIT_CODE_TAKEN", "customer.credit_code"),
    "uq_saved_filters_person_id_name": ("FILTER_NAME_TAKEN", "saved_filter.name"),
    "ck_customers_not_merged": ("MERGED_INTO", ""),
    "uq_shares_customer_id_person_id": ("SHARE_EXISTS", "share.person_id"),
}


def _api(proto: Any, name: str, module: ModuleType) -> Api:
    return Api(proto.DESCRIPTOR.services_by_name[name], module, refuse, CONSTRAINTS)


IMPORTS = _api(import_job_pb2, "ImportJobsService", importing)
EXPORTS = _api(export_job_pb2, "ExportJobsService", exporting)
REASSIGNMENTS = _api(reassignment_job_pb2, "ReassignmentJobsService", reassigning)


def prepare(settings: Settings) -> None:
    """Make ready to keep personal values; ends the process where it has no key for that."""
    if settings.personal_key is None:
        sys.exit("Settings are missing or wrong:\n  TONGXIAO_PERSONAL_KEY: personal values are kept with it")
    key_model.use_master(settings.personal_key.get_secret_value())


def apis(settings: Settings) -> Sequence[Api]:
    contact.reveals_per_day = settings.reveals_per_day
    duplicates.answers_per_day = settings.duplicate_answers_per_day
    joins.requests_per_day = settings.join_requests_per_day
    registrations.protected_days = settings.registration_days
    return (
        _api(product_line_pb2, "ProductLinesService", product_line),
        _api(customer_pb2, "CustomersService", customer),
        _api(contact_pb2, "ContactsService", contact),
        _api(contact_record_pb2, "ContactRecordsService", contact_record),
        _api(saved_filter_pb2, "SavedFiltersService", saved_filter),
        _api(duplicate_pb2, "DuplicatesService", duplicate),
        _api(merge_pb2, "MergesService", merging),
        _api(join_request_pb2, "JoinRequestsService", joining),
        _api(registration_pb2, "RegistrationsService", registration),
        IMPORTS,
        EXPORTS,
        REASSIGNMENTS,
        _api(audit_pb2, "AuditService", audit_api),
    )
