"""Many runs: a study file, arms x seeds, statistics, report."""
