"""Every table of this service."""

from customers.base import Base
from customers.contact import key_model as contact_key
from customers.contact import model as contact
from customers.contact_record import model as contact_record
from customers.customer import model as customer
from customers.duplicate import model as duplicate
from customers.home import model as home
from customers.joining import model as joining
from customers.merging import model as merging
from customers.product_line import model as product_line
from customers.registration import model as registration
from customers.saved_filter import model as saved_filter

__all__ = [
    "METADATA",
    "contact",
    "contact_key",
    "contact_record",
    "customer",
    "duplicate",
    "home",
    "joining",
    "merging",
    "product_line",
    "registration",
    "saved_filter",
]

METADATA = (Base.metadata,)
