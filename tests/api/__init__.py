"""The HTTP side of the service, against judges made for the tests."""
