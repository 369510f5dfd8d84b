"""The microservice chassis: what every process needs, with no business noun but the organisation's."""
