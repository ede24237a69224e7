"""People who label: a page, Label Studio, and what they need to see."""
