"""The database's history: one revision a file in `versions/`, run by `models.database.upgrade`."""
