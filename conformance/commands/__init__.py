"""The commands of the examiner, a module for each group of them."""
