"""Judging programs that approximate a function: the exact form, the largest error, and its proof."""
