"""Every table of this service."""

from customers.base import Base
from customers.contact import key_model as contact_key
from customers.contact import model as contact
from customers.contact_record import model as contact_record
from customers.customer import model as customer
from customers.home import model as home
from customers.product_line import model as product_line
from customers.saved_filter import model as saved_filter

__all__ = ["METADATA", "contact", "contact_key", "contact_record", "customer", "home", "product_line", "saved_filter"]

METADATA = (Base.metadata,)
