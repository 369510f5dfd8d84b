"""What people find first: their own customers' day, and figures of the units they govern."""
