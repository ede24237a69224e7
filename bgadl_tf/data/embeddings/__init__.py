"""Features of images that are kept in files: their format, and writing and reading them."""
