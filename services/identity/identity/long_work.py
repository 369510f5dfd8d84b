"""The long work of this service, by kind."""

from chassis import import_jobs
from chassis.rpc import one
from identity.apis import IMPORTS
from identity.employee_import.api import IMPORTERS

KINDS = import_jobs.kinds(IMPORTERS, one(IMPORTS, "StartEmployeeImportJob"))
