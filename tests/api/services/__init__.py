"""Tests of the use cases, without HTTP."""
