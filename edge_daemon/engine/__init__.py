"""The model: a bundle opened on a runtime.  base.Engine is all that the pipeline sees."""
