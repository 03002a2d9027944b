"""From a judged call to a reservation: filed, refused, held, joined or reserved; incidents; redials."""
