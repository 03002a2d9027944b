"""What an administrator does with an installation; by now to examine it (`doctor`)."""
