"""The API's description, OpenAPI 3.1, from the same descriptors as the routes."""
