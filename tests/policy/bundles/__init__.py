"""What signed bundles of rules are held to."""
