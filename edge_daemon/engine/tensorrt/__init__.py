"""Bundles on NVIDIA's TensorRT: the image graph as a plan made for this GPU.

available  whether TensorRT can be used here, and why not
presets    what is sensible on which device
graphs     image graphs as TensorRT wants them; signed: bytes; lint: what its parser refuses
builder    from an ONNX file to a plan, one way for all releases
plans      plans on disk, each under a fingerprint
place      TensorRT, driver and preset of this machine
make       from a bundle to a plan
execution  a plan on the GPU
engine     a bundle whose image graph is a plan; open: from disk, or built while another answers
"""
