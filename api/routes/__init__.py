"""Thin controllers: what HTTP says, told to a service, and what it answers, told to HTTP."""
