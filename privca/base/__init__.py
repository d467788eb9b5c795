"""Ground that every layer stands on: refusals, time, entropy, names, HTTP messages, state tables. No I/O."""
