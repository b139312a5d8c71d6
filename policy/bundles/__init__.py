"""Rules as one file that reviewers sign: its form, what goes in and comes out, signatures, who is trusted."""
