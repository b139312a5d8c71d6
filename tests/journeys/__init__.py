"""Journeys through real HTTP: a server process, a database, an object store; nothing is replaced by a double."""
