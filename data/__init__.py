"""Storage, and everything that the process sends. It does not import `api`."""
