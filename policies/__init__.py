"""Rules on what is allowed: pure functions from record to record; every answer names its rule."""
