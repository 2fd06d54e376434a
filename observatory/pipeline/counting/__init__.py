"""Which spans are calls that count: ancestry, twins and the rule, over everything that arrived in the last minutes."""
