"""What runs networks over many examples: training, scoring, distribution strategies."""
