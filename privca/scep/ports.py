"""What the SCEP core needs from the outside beside the door: what the store knows of a transaction."""

from __future__ import annotations

from typing import Protocol


class ScepStore(Protocol):
    """The memory of transactions: requests for certificates, answered or waiting, whose IDs begin with what names their transaction."""

    async def newest_request(self, profile_id: str, prefix: str) -> str | None:
        """The ID of the request of this profile that was recorded last among those whose ID begins with ``prefix``."""
