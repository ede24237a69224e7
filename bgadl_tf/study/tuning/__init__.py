"""Tuning: a search for settings and options by trials, each of which is a few runs."""
