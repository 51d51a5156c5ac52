"""Learning with Others: a thin library, one room per step of the way from a study folder to a page."""

import sys

# jsonschema looks for this package to check web addresses, which no schema here holds; it builds 39 grammars when it is
# imported, over two seconds in every process that reads a codebook, a notebook or a chart
sys.modules.setdefault("rfc3987_syntax", None)
