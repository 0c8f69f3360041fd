"""Reading paragraphs in Traditional Chinese with questions, made by a grammar of statements."""
