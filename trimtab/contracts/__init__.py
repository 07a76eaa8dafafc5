"""What crosses a wall: frozen records, replies and ports.

A record is kept in histories: fields may be added with a default, never renamed or retyped.
"""
