"""The words of the DMP, the facts on which decisions rest, and where they are stored."""
