"""Labels that the classifier gives examples of the pool, as far as held-out labels bear it out."""
