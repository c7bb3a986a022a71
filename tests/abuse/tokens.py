"""Tokens that nobody issued, or not for this: each is tried on a connection and over HTTP, and refused alike."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.abuse.forger import Forger, Json, by_rsa, forger, part
from tests.abuse.rows import ROOM, Row, Send
from tests.abuse.stranger import Stranger

_REFUSED: Final = "refused unauthorized; 401 unauthorized"
_EXPIRED: Final = "refused expired; 401 expired"
_NOW: Final = int(time.time())
_PUBLIC: Final = {
    "as PEM": (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "as DER": (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "raw": (Encoding.Raw, PublicFormat.Raw),
}


def _tries(make: Callable[[Forger], str]) -> Send:
    async def send(stranger: Stranger) -> str:
        token = make(await forger(stranger))
        if len(token) > 8:
            stranger.keep_secret(token[:4_000])
        over_http = (await stranger.ask("GET", f"/api/rooms/{ROOM}/messages", token=token)).words
        async with stranger.shaken() as socket:
            socket.send("40" + json.dumps({"token": token}))
            return f"{await socket.verdict()}; {over_http}"

    return send


def _headers(**header: Any) -> Send:
    return _tries(lambda by: by.token(header=header))


def _claims(**claims: Any) -> Send:
    return _tries(lambda by: by.token(claims=claims))


def _as_secret(encoding: Encoding, form: PublicFormat) -> Send:
    header = {"alg": "HS256"}
    return _tries(lambda by: by.token(header=header, sign=by.by_secret(by.public(encoding, form))))


def _own_key(by: Forger) -> str:
    key = Ed25519PrivateKey.generate()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": part(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}
    return by.token(header={"jwk": jwk, "jku": "https://evil.example/jwks.json"}, sign=key.sign)


def _promoted(by: Forger) -> str:
    header, _, signature = by.good.split(".")
    return ".".join([header, part(json.dumps({**by.claims, "sub": "u-admin"}).encode()), signature])


def _infinite(name: str) -> Send:
    def make(by: Forger) -> str:
        return by.assembled(json.dumps(by.header), json.dumps({**by.claims, name: float("inf")}))

    return _tries(make)


_TABLE: Final[dict[str, Send]] = {
    "nothing": _tries(lambda _: " "),
    "two dots": _tries(lambda _: ".."),
    "no dots": _tries(lambda _: "nonsense"),
    "five parts": _tries(lambda by: f"{by.good}.AAAA.AAAA"),
    "its signature missing": _tries(lambda by: by.good.rpartition(".")[0] + "."),
    "its signature of another": _tries(lambda by: by.token(sign=Ed25519PrivateKey.generate().sign)),
    "its claims replaced": _tries(_promoted),
    "alg none": _tries(lambda by: by.token(header={"alg": "none"}, sign=lambda _: b"")),
    "alg NONE with a good signature": _headers(alg="NONE"),
    "no alg": _headers(alg=None),
    "alg a list": _headers(alg=["EdDSA"]),
    "RS256": _tries(lambda by: by.token(header={"alg": "RS256"}, sign=by_rsa)),
    **{f"HS256 with the public key {name}": _as_secret(*how) for name, how in _PUBLIC.items()},
    "an unknown crit": _headers(crit=["exp2"], exp2=1),
    "a crit that is empty": _headers(crit=[]),
    "b64 false": _headers(crit=["b64"], b64=False),
    "a key of its own": _tries(_own_key),
    "kid with a path": _headers(kid="../../../../dev/null"),
    "kid for a database": _headers(kid={"$gt": ""}),
    "kid a list": _headers(kid=["x"]),
    "kid of nobody": _headers(kid="AAAA"),
    "no kid": _headers(kid=None),
    "typ JWT": _headers(typ="JWT"),
    "typ of a refresh token": _headers(typ="rt+jwt"),
    "no typ": _headers(typ=None),
    "a header that is a list": _tries(lambda by: by.assembled("[]", "{}")),
    "a header nested 3,000 deep": _tries(lambda by: by.assembled("[" * 1_400 + "]" * 1_400, "{}")),
    "claims that are a list": _tries(lambda by: by.assembled(json.dumps(by.header), "[1]")),
    "claims nested deep": _tries(lambda by: by.assembled(json.dumps(by.header), '{"sub":' * 250 + "1" + "}" * 250)),
    "another issuer": _claims(iss="https://evil.example"),
    "issuers in a list": _claims(iss=["parley"]),
    "another audience": _claims(aud="somebody-else"),
    "no audience": _claims(aud=None),
    "not yet valid": _claims(nbf=_NOW + 3_600),
    "issued in the future": _claims(iat=_NOW + 3_600),
    "no expiry": _claims(exp=None),
    "an expiry that is a text": _claims(exp="never"),
    "an expiry that is an operator": _claims(exp={"$gt": 0}),
    "an expiry without end": _infinite("exp"),
    "issued at infinity": _infinite("iat"),
    "no subject": _claims(sub=None),
    "a subject that is a number": _claims(sub=7),
}


def _long(size: int) -> Send:
    def make(by: Forger) -> str:
        claims: Json = {"pad": "x" * size}
        return by.token(claims=claims)

    return _tries(make)


ROWS: Final = [
    *[Row(f"a token: {name}", send, _REFUSED) for name, send in _TABLE.items()],
    Row("a token: expired", _claims(iat=_NOW - 7_200, exp=_NOW - 3_600), _EXPIRED),
    Row("a token: expired long ago", _claims(iat=0, exp=1), _EXPIRED),
    Row(
        "a token: expired and forged",
        _tries(lambda by: by.token(claims={"exp": 1}, sign=lambda _: b"x" * 64)),
        _REFUSED,
    ),
    Row("a token: 7 KB", _long(5_000), "refused unauthorized; 401 unauthorized"),
    Row("a token: 60 KB", _long(40_000), "refused unauthorized; 400"),
    Row("a token: 100 KB", _long(75_000), "closed 1009; 400"),
]
