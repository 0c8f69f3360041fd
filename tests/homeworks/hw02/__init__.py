"""Tests of homework 2."""
