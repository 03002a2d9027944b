"""The figures of half hours, days and longer."""
