#!/usr/bin/env python3
"""The n-th call fails (torture.py): a server that mirrors another."""
from torture import MirrorPoll, torture

torture(MirrorPoll())
