"""The world of homework 12 in motion: Gymnasium's lander, policies that fly it, pictures."""
