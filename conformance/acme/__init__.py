"""The examiner's ACME client: does everything right, and, one named change at a time, everything wrong."""
