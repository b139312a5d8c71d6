"""Other keys in the place of those in use: made, put to use, and the old ones destroyed, while the service runs.

From above to below: masters wrap the keys of shards (`masters`), these the keys of dossiers and of their journals
(`shards` and `rewrapping`), a dossier's key what is sealed of it (`dossiers`); keys of rows authenticate (`rows`).
A rotation first makes a primary, by which everything is wrapped from then on, and then wraps anew what is under the
ones before, in batches of one transaction each. So it can be stopped at any instant: what was left is found by the key
that it names, by whoever looks for it. Nothing is destroyed (`destroying`) while anything names it.
"""
