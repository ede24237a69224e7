"""What the classifier learns from beside the labelled examples counts as far as evidence allows.

Groups of further examples (generated, reconstructed, transformed, pseudo-labelled ...) are on
probation: a judge tells which of their examples count, and the gradient of the real examples how
far each group's gradient does.
"""
