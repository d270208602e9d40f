"""The commands of `main.py`, as an operator types them: thin, one file a noun."""
