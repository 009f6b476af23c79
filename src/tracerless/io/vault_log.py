"""The log of a vault: lines that can be added but not changed, each sealed to the one before."""

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracerless.core.errors import VaultError
from tracerless.io.atomic import disk_errors


@dataclass(slots=True)
class VaultLog:
    """A chained log; ``key`` makes its digests, so that nobody without it can mend a cut chain."""

    path: Path
    key: bytes = field(repr=False)
    _count: int = 0
    _head: str = ""
    _whole_bytes: int = 0

    def require_intact(self, count: int, head: str) -> None:
        """Walk the chain, and check that it holds the line that the registry last knew.

        A last line without its end is what a killed command left; it is dropped.

        Args:
            count: lines that the registry knew; the log may have more.
            head: digest of the last of them.

        Raises:
            VaultError: a line was changed, taken out, put in, or cut off.
        """
        content = self.path.read_bytes() if self.path.is_file() else b""
        lines = content[: content.rfind(b"\n") + 1].splitlines()
        self._count, self._head = 0, ""
        self._whole_bytes = content.rfind(b"\n") + 1
        heads = {0: ""}
        for line in lines:
            self._head = self._checked(line)
            self._count += 1
            heads[self._count] = self._head
        if heads.get(count) != head:
            raise VaultError(
                f"The vault's log has {self._count} lines; line {count} is not the one recorded.",
                hint="Somebody cut it; restore the vault from a backup.",
            )

    def append(self, event: str, detail: Mapping[str, Any]) -> tuple[int, str]:
        """Add a line; how many there are now, and the digest of the last."""
        body = {
            "n": self._count + 1,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "event": event,
            "detail": dict(detail),
        }
        digest = self._digest(body)
        line = json.dumps({**body, "digest": digest}, sort_keys=True, ensure_ascii=False) + "\n"
        with disk_errors(self.path.parent):
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.ftruncate(handle, self._whole_bytes)
                os.lseek(handle, 0, os.SEEK_END)
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        self._whole_bytes += len(line.encode())
        self._count, self._head = self._count + 1, digest
        return self._count, digest

    def lines(self) -> tuple[dict[str, Any], ...]:
        """Every line, once `require_intact` has found them whole."""
        content = self.path.read_bytes()[: self._whole_bytes] if self.path.is_file() else b""
        return tuple(json.loads(line) for line in content.splitlines())

    def _checked(self, line: bytes) -> str:
        """The digest of a line.

        Raises:
            VaultError: it does not follow from the line and the one before.
        """
        try:
            body = json.loads(line)
            digest = str(body.pop("digest"))
            is_intact = hmac.compare_digest(digest, self._digest(body))
        except (ValueError, KeyError, AttributeError, TypeError):
            digest, is_intact = "", False
        if not is_intact:
            raise VaultError(
                f"Line {self._count + 1} of the vault's log was changed.",
                hint="Restore the vault from a backup and find out who changed it.",
            )
        return digest

    def _digest(self, body: Mapping[str, Any]) -> str:
        text = json.dumps([self._head, body], sort_keys=True, ensure_ascii=False)
        return hmac.digest(self.key, text.encode(), "sha256").hex()[:32]
