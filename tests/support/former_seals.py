"""Seals as the releases before padding made them: what a migration finds."""

import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from hmac import digest
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def derive_former_key(key: str, purpose: str) -> bytes:
    return digest(key.encode(), f"moodmiles {purpose}".encode(), "sha256")


def seal_formerly(key: str, text: str) -> bytes:
    """Seal as the host's key did: Fernet, unpadded."""
    fernet = Fernet(urlsafe_b64encode(derive_former_key(key, "seal")))
    return fernet.encrypt(text.encode())


def seal_in_former_vault(vault_key: bytes, plain: bytes) -> bytes:
    """Seal as a runner's own key did: a nonce and AES-GCM, unpadded."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(vault_key).encrypt(nonce, plain, None)


def seal_json_in_former_vault(vault_key: bytes, values: Mapping[str, Any]) -> bytes:
    return seal_in_former_vault(
        vault_key, json.dumps(values, separators=(",", ":")).encode()
    )


def make_former_pairing_key(source: str, source_id: int) -> str:
    return sha256(f"{source}:{source_id}".encode()).hexdigest()


def make_former_stop_token(key: str, runner_id: int) -> str:
    """Return the token of a stop link in a mail from before."""
    message = f"unsubscribe:{runner_id}".encode()
    signature = digest(derive_former_key(key, "lookup"), message, "sha256").hex()[:32]
    return f"{runner_id}-{signature}"
