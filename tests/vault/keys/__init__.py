"""Keys and who keeps them."""
