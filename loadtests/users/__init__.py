"""One module for each persona: what it does in a visit, and what its answers must be. Users speak HTTP only.

A user of locust is a source of visits: it begins them by the clock and waits for none, so that a slow service is asked
as much as a quick one. What is measured is measured from the instant at which a visit was due.
"""
