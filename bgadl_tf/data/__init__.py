"""Datasets: one file a kind, each registered under its name in ``loader.LOADERS``."""
