"""Figures of half hours, days and longer: counted once when they are over, and read at once ever after."""
