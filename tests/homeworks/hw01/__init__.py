"""Tests of homework 1."""
