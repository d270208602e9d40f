"""Tests over HTTP against the real application on a real, migrated database."""
