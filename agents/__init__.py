"""The agents that investigate drift and propose a plan; the only room that imports ADK."""
