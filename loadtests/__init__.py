"""Load on a running service, over HTTP only. Nothing imports this package: locust patches sockets and threads."""
