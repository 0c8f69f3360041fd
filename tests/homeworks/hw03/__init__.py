"""Tests of homework 3."""
