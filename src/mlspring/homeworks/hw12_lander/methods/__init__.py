"""The methods, one a file: reinforce, a2c, ppo, dqn; advantages are what three of them share."""
