"""A call centre in a box: a real Asterisk, its phones and its people."""
