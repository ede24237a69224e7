"""Label Studio: tasks of what a run asks, and the answers that come back."""
