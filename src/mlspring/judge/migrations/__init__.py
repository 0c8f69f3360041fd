"""The history of the board's tables; opening a store brings it up to the newest revision."""
