"""What a call of a model costs: a table of unit prices, who bills whom, and the arithmetic, in columns."""
