"""Bundles on torch, node by node: the reference the other runtimes are compared with.

graph      an ONNX graph walked in torch
operators  what each operator means
"""
