"""`python -m telephony.simulator` plays recorded streams."""

import sys

from telephony.simulator.server import main

sys.exit(main())
