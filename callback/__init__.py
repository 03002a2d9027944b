"""The application: joins `telephony`, `scheduler` and `sms` into callbacks for callers who were lost."""
