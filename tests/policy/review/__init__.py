"""What reviewers ask of a rule set."""
