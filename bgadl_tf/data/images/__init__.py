"""Images: reading, decoding, resizing."""
