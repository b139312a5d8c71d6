"""What is promised, seen to hold."""
