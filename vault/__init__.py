"""What is kept: documents sealed before they reach the object store, their keys, and the journal of who read them."""
