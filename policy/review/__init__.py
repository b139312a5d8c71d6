"""What reviewers ask of a rule set: whether it is sound, what it proves, what a change opens and closes."""
