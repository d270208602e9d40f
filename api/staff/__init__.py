"""The operations of the clinic's staff. Every route needs a token (`api/auth.py`)."""
