"""Homework 1: COVID-19 cases prediction, regression with a small network."""
