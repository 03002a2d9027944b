"""From a judged call to a reservation: facts gathered (`intake`), decided, applied; incidents, redials, release."""
