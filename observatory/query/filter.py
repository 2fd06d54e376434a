"""One filter language for the whole product: the search bar, sampling expressions, alerts and the command line.

`parse` reads text, `to_sql` makes a bound DuckDB condition of it, `to_mask` answers it over Arrow columns; both give the same rows. The
language is described in docs/FILTER.md. Rooms above `query` may import this one (`pipeline` among them).
"""

from observatory.query.filtering.fault import FilterError
from observatory.query.filtering.fields import TARGETS
from observatory.query.filtering.grammar import parse
from observatory.query.filtering.mask import to_mask
from observatory.query.filtering.sql import to_sql
from observatory.query.filtering.tree import Expr

__all__ = ["TARGETS", "Expr", "FilterError", "parse", "to_mask", "to_sql"]
