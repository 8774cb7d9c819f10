#!/usr/bin/env python3
"""The n-th call fails (torture.py): what is read: answers ready and made, pages, pictures, phones, streams of events."""
from torture import CachedGet, Events, Get, Page, PhoneSync, Picture, accept_for_ever, torture

torture(CachedGet(), Get(), Page(), PhoneSync(), Picture(), Events(), then=accept_for_ever)
