"""Evaluations: how good Trimtab's judgement is, measured on cases with known answers."""
