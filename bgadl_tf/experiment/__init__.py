"""Runs: built, run and kept in folders; then many of them compared in tables and figures.

What compares runs (``runs``, ``statistics``, ``tables``, ``figures``, ``arms``) imports no
TensorFlow; ``arms`` starts every run as a process of its own.
"""
