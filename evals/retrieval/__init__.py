"""How often the right runbook is found by a question of a person on call, or by a finding."""
