"""The long work of this service, by kind."""

from chassis import import_jobs
from chassis.jobs import Kind
from chassis.rpc import one
from customers.apis import EXPORTS, IMPORTS, REASSIGNMENTS
from customers.exporting import operations as exporting
from customers.importing.api import IMPORTERS
from customers.reassigning import operations as reassigning

KINDS = {
    **import_jobs.kinds(IMPORTERS, one(IMPORTS, "StartImportJob")),
    exporting.KIND: Kind(rpc=one(EXPORTS, "CreateExportJob"), step=exporting.step),
    reassigning.KIND: Kind(rpc=one(REASSIGNMENTS, "StartReassignmentJob"), step=reassigning.step),
}
