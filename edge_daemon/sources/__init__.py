"""Where frames come from: one module per technology, all behind base.Source."""
