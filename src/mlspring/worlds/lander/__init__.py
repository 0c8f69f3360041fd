"""The world of homework 12 in motion: Gymnasium's lander, its episodes, and pictures of them."""
