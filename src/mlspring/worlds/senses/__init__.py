"""Short texts with questions, in which a word may have two senses that are known."""
