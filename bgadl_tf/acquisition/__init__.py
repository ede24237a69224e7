"""Acquisitions: what to ask the oracle next. One file each; larger scores are more informative."""
