"""What the pages of reports share: which days they are asked for, and their files."""
