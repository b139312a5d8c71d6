"""The command line: `dmp ...`."""
