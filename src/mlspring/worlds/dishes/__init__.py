"""The food itself: one module a class, several appearances in each, all painted on a spot."""
