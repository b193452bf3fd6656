"""Bundles on NVIDIA's TensorRT: the image graph as a plan made for this GPU.

available  whether TensorRT can be used here, and why not
"""
