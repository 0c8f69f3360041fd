"""What is learnt from what was played: estimators, policy gradients, action values."""
