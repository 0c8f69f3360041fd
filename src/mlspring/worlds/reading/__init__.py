"""Reading paragraphs with questions: a stand-in."""
