"""The filter language in parts: text to tree, tree to columns, columns to SQL and to masks. Use it through `query/filter.py`."""
