"""Tables of care and of campaigns."""
