"""What travels: msgspec structs, and nothing that they do."""
