"""Oracles: who answers queries."""
