"""The active-learning loop: ask, tell, fit, round after round, and what it remembers."""
