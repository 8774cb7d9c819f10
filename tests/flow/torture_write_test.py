#!/usr/bin/env python3
"""The n-th call fails (torture.py): what is changed: drafts, publications, imports, pictures, takedowns."""
from torture import Blob, Draft, Import, Publish, Takedown, torture

torture(Draft(), Publish(), Import(), Blob(), Takedown())
