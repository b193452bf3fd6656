"""Image graphs in eight bits: calibrated on real frames, weights rounded by what they cost.

network    an ONNX graph seen as convolutions and what lies between them
calibrate  what flows through it on real frames
equalise   channels of one tensor brought to one range, where that changes nothing
rounding   weights on a grid of eight bits, each error made up for by the weights after it
qdq        the graph written with QuantizeLinear and DequantizeLinear
"""
