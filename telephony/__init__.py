"""What happens to calls on the PBX, and placing new ones. Knows Asterisk; knows nothing of reservations."""
