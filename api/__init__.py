"""Every way in: HTTP, the command line, the review console."""
