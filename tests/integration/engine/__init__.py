"""Bundles on real runtimes."""
