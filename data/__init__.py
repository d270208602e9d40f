"""Everything that touches storage or leaves the process. No web."""
