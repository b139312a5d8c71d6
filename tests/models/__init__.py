"""Words, facts and storage."""
