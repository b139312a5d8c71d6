"""The journal, on both engines."""
