#!/usr/bin/env python3
"""The n-th call fails (torture.py): a backup."""
from torture import Backup, torture

torture(Backup())
