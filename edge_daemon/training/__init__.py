"""Teaching a bundle: pictures and a question grammar in, three ONNX graphs out.

Needs the extra ``edge-daemon[train]``; nothing else in the product imports this package.
"""
