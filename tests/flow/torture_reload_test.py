#!/usr/bin/env python3
"""The n-th call fails (torture.py): the certificate read again."""
from torture import Reload, torture

torture(Reload())
