"""mlspring: the course "Machine Learning 2022 Spring" (Hung-yi Lee, NTU) as software that runs."""

__version__ = "0.1.0"
