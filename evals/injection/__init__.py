"""Prompt injections, and the channels by which foreign text reaches an agent."""
