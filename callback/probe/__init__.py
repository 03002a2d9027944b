"""A customer of our own who calls, gives up, and looks whether he is found, texted and called back.

It shares no code with what it watches.
"""
