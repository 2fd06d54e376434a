"""One vocabulary: which attribute keys feed which columns."""
