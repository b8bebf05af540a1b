"""Simulated portfolios whose truth is known: people, claims, an incumbent's contacts, and what came of them.

Nothing here is real, and nothing here knows rules or models: whoever decides is handed in as a `Behaviour`.
"""
