"""Real PostgreSQL and real MinIO, obtained, started on a free loopback port and stopped again.

Nothing here knows pytest: tests, benchmarks and load tests use the same servers. Obtaining needs the standard
library only, so that it can begin before anything is installed: `python -m tests.servers`.
"""
