"""Keras networks that come from elsewhere: by name, from a file, or as objects."""
