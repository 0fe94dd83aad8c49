"""Outcome models, the solver that fits them, and the posterior: arrays in, arrays out."""
