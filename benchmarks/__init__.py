"""Commands that measure, with their latest figures."""
