"""What every part stands on: types, errors, names, seeds, files that survive a crash."""
