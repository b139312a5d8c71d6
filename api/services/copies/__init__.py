"""What a copy of a record holds beside the documents, each made from the same list: names, pages, bundle, print."""
