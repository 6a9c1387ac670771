"""Steps for search strategies: starts, moves and local solvers for points, packings, functions, sets, graphs, tensors.

A strategy is a short Python program that composes steps of one toolbox. Modules here import nothing of ours outside
this package: they run in the candidate's process.
"""
