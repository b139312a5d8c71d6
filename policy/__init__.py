"""Who may see what: the rules, and the engine that judges a situation by them."""
