"""Ours side by side with Cerbos, OPA and OpenFGA: same facts and questions, same client, same cores, one run.

Nothing is fetched: the programs are those that the operator shows. The policies beside this file are our own, and say
in each peer's words what the questions need; ours has all its rules in force.
"""
