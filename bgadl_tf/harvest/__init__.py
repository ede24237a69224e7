"""From production back: what a served model finds hard becomes the next pool."""
