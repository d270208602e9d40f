"""HTTP and the command line: everything that is called from outside."""
