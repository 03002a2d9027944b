"""What an administrator does with an installation: to examine it (`doctor`), to see how it stands (`health`)."""
