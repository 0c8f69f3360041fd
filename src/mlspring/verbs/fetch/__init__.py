"""``mlspring fetch``: the course's own files, from every address that is known."""
