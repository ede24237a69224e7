"""Many runs: arms x seeds, statistics, report."""
