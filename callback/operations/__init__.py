"""What an administrator does with an installation: to examine it (`doctor`, `health`), to keep it (`backup`)."""
