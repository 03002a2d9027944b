"""What is kept for good: who did what, what each shift left to the next, and all about one person."""
