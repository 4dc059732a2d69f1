"""Measuring a fabric: the load, its figures, and how they are shown.

`cosmo bench` and the tools of this house drive the same loops, so that their figures compare.
"""
