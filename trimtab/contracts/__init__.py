"""Data and interfaces that cross the walls between rooms: frozen records, replies and ports.

Workflow histories hold records. A field may be added with a default, but is never renamed or
retyped.
"""
