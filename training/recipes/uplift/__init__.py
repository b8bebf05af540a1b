"""Uplift learners over many actions against `none`: what an action adds, not who pays."""
