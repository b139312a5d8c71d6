"""Use cases: facts, judge, journal, answer. Nothing here knows HTTP."""
