"""``python -m interop``."""

from interop.cli import main

if __name__ == "__main__":
    main()
