"""A GPU through the CUDA driver: found without loading anything, then memory, streams, graphs.

probe     whether there is a driver and a GPU, asked through ctypes
"""
