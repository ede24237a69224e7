"""Classifiers: a deterministic trunk of features, then a stochastic head. One file each."""
