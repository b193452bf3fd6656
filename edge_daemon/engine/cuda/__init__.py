"""A GPU through the CUDA driver, by cuda-bindings, or by pycuda where only that is installed.

probe     whether there is a driver and a GPU, without loading anything
driver    what is asked of either library; the primary context, in every thread
bindings  NVIDIA's cuda-bindings
pycudart  pycuda
memory    arrays that both the processor and the GPU see
"""
