"""The words of the house, without torch: errors, specs, recipes, runs, files, tables, scores."""
