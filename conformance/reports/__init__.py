"""Reports of a run, each made from ``results.json`` alone, so that any of them can be made again from it."""
