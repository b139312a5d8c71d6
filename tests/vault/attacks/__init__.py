"""What somebody does who holds the object store or the database, or both."""
