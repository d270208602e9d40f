"""What the clinic's own staff does over HTTP; every route is guarded (`api/auth.py`)."""
