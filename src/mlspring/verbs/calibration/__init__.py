"""``mlspring calibrate``: measure every level, then write baselines and results."""
