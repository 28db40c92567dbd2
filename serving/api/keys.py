"""API keys: who may ask what. Kept as digests in a file of the project, or given in the environment."""

import hashlib
import hmac
import os
import re
import secrets
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from features.errors import SettingsError
from serving.log import log

KEY_SCOPES = ("predict", "history", "console", "admin")
"""What a key may open; ``admin`` opens everything."""

SCOPE_OF = {
    "/predict": "predict",
    "/recommend": "predict",
    "/predict_history": "history",
    "/metrics": "console",
}
"""The scope a path needs. Any key opens the others."""

KEYS_FILE = "keys.json"
"""The project's API keys, beside its tokui.toml."""

KEYS_VARIABLE = "TOKUI_API_KEYS"
ALL_SCOPES = frozenset(KEY_SCOPES)

_PREFIX = "tokui_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LOOK_SECONDS = 1.0


class StoredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key as it is kept: nobody can read from it what to send.

    Args:
        name: Who has it.
        digest: SHA-256 of the key, hexadecimal. A key is 256 random bits, which no one guesses, so that
            a slow hash would only cost every request.
        scopes: What it opens.
        made: When, ISO.
    """

    name: str
    digest: str
    scopes: tuple[str, ...]
    made: str


class KeyFile:
    """The keys of a project, in a file that only its owner can read.

    Args:
        path: The file; none is there before the first key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[StoredKey, ...]:
        """All keys; none where there is no file.

        Raises:
            SettingsError: The file can be read by others, or is not what was written.
        """
        try:
            mode = self.path.stat().st_mode
            text = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        if stat.S_IMODE(mode) & 0o077:
            raise SettingsError(
                f"{self.path} can be read by others (mode {stat.S_IMODE(mode):04o}); run `chmod 600 {self.path.name}`"
            )
        try:
            keys = msgspec.json.decode(text, type=tuple[StoredKey, ...])
            for key in keys:
                _check_scopes(key.scopes)
                _check_digest(key)
        except (msgspec.MsgspecError, ValueError) as error:
            raise SettingsError(
                f"{self.path} is not what `tokui keys` wrote ({error}); remove it and add the keys anew"
            ) from error
        return keys

    def add(self, name: str, scopes: Collection[str]) -> str:
        """Make a key.

        Args:
            name: Who will have it.
            scopes: What it opens.

        Returns:
            The key, which is kept nowhere.

        Raises:
            SettingsError: There is a key of this name, or no such scope.
        """
        if not _NAME.fullmatch(name):
            raise SettingsError(
                f"{name!r} is no name for a key; take up to 63 letters, digits, dots and hyphens"
            )
        _check_scopes(scopes)
        secret = _PREFIX + secrets.token_urlsafe(32)
        with self._changing() as keys:
            if any(key.name == name for key in keys):
                raise SettingsError(
                    f"there is a key {name!r} already; choose another name, or remove it first"
                )
            made = datetime.now(UTC).isoformat(timespec="seconds")
            ordered = tuple(scope for scope in KEY_SCOPES if scope in scopes)
            keys.append(StoredKey(name, hashlib.sha256(secret.encode()).hexdigest(), ordered, made))
        return secret

    def remove(self, name: str) -> None:
        """Take a key away; servers notice within a second or two.

        Raises:
            SettingsError: There is none of this name.
        """
        with self._changing() as keys:
            kept = [key for key in keys if key.name != name]
            if len(kept) == len(keys):
                names = ", ".join(key.name for key in keys) or "none at all"
                raise SettingsError(f"there is no key {name!r}; there is {names}")
            keys[:] = kept

    @contextmanager
    def _changing(self) -> Iterator[list[StoredKey]]:
        """The keys, written back as a whole; one change at a time."""
        # Not everywhere; where it is not, nothing here can serve either.
        import fcntl

        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            keys = list(self.read())
            yield keys
            partial = self.path.with_suffix(".partial")
            partial.unlink(missing_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(keys), indent=1) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        finally:
            os.close(folder)


def _check_scopes(scopes: Collection[str]) -> None:
    unknown = [scope for scope in scopes if scope not in KEY_SCOPES]
    if unknown or not scopes:
        said = f"{unknown[0]!r} is no scope" if unknown else "a key needs a scope"
        raise SettingsError(f"{said}; there are {', '.join(KEY_SCOPES)}")


def _check_digest(key: StoredKey) -> None:
    if len(bytes.fromhex(key.digest)) != hashlib.sha256().digest_size:
        raise SettingsError(f"the digest of {key.name} is cut short")


def keys_of_text(text: str) -> list[str]:
    """Keys as the environment gives them, separated by commas.

    Raises:
        SettingsError: There is text and no key in it, or a key that no request could send. The message
            does not repeat it.
    """
    keys = [part.strip() for part in text.split(",") if part.strip()]
    if text and not keys:
        raise SettingsError(
            f"{KEYS_VARIABLE} is set and has no key in it; give keys separated by commas, or unset it"
        )
    for number, key in enumerate(keys, 1):
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise SettingsError(
                f"key {number} of {len(keys)} in {KEYS_VARIABLE} has a character that no request can send; "
                "use visible ASCII characters without blanks"
            )
    return keys


class Keys:
    """Who is let in, compared in constant time.

    Args:
        keys: Keys that open everything.
        file: More keys, read again when it changes.
        everyone: Whether to let everyone in while there is no key at all. Once there has been one, its
            removal lets nobody in.

    Raises:
        SettingsError: The file cannot be used.
    """

    def __init__(
        self, keys: Collection[str] = (), file: KeyFile | None = None, *, everyone: bool = True
    ) -> None:
        # Digests are of one length, so that a comparison tells nothing of the key's.
        self._given = [(hashlib.sha256(key.encode()).digest(), ALL_SCOPES) for key in keys]
        self._file, self._everyone = file, everyone
        self._seen: tuple[int, int, int] | None = None
        self._next = 0.0
        self._known = self._given
        if file is not None:
            self._seen = _stamp(file.path)
            self._take(file.read())
        self._everyone = everyone and not self._known

    @classmethod
    def from_text(cls, text: str, file: KeyFile | None = None, *, everyone: bool = True) -> "Keys":
        """Keys separated by commas, and those of a file; see `keys_of_text`."""
        return cls(keys_of_text(text), file, everyone=everyone)

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._known)

    def scopes(self, given: bytes) -> frozenset[str] | None:
        """What a key opens; None for one that is not known."""
        if self._file is not None and (now := time.monotonic()) >= self._next:
            self._next = now + _LOOK_SECONDS
            self._look(self._file)
        if self._everyone:
            return ALL_SCOPES
        digest = hashlib.sha256(given).digest()
        opened = None
        # All are compared, whichever fits.
        for known, scopes in self._known:
            if hmac.compare_digest(digest, known):
                opened = scopes
        return opened

    def _look(self, file: KeyFile) -> None:
        stamp = _stamp(file.path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._take(file.read())
        except (SettingsError, OSError) as error:
            log.warning("kept the keys as they were: %s", error)

    def _take(self, stored: Collection[StoredKey]) -> None:
        fresh = []
        for key in stored:
            scopes = ALL_SCOPES if "admin" in key.scopes else frozenset(key.scopes)
            fresh.append((bytes.fromhex(key.digest), scopes))
        self._known = self._given + fresh
        self._everyone = self._everyone and not self._known


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_mode
