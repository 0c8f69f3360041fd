"""The methods: each a function of a network that gives logits, pictures and their labels.

Pictures are floats (n, 3, s, s), the network's input; an attribution is of the logit of the label.
"""
