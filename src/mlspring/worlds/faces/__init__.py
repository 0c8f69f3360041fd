"""Drawn faces: heads of one studio, from which a world to imitate and one to watch are made."""
