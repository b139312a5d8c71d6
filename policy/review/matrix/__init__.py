"""Who may read what, as a reviewer reads it: roles and professions against categories of documents, by mode.

Nothing is typed by hand: each cell is the engine's own answer to the situation that it stands for, with its rule.
"""
