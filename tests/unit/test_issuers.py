"""Tokens of external issuers: whom they speak of here, and that each goes by the rules of its own issuer."""

import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from runtime.settings import SettingsError
from services.auth import keys
from services.auth.issuers import Verifier, open_issuers
from services.auth.settings import TokenSettings
from services.auth.tokens import Tokens
from services.auth.trusted_issuers import ClaimNames, TrustedIssuer
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.ids import ID_PATTERN
from wire.messages import User
from wire.streams import TOKEN_SECONDS_MOST

OURS = Tokens(
    [keys._signing_key(ed25519.Ed25519PrivateKey.generate())], TokenSettings(signing_keys_dir="-"), time.time
)
ED, EC = ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
PRIVATE: dict[str, Any] = {"EdDSA": ED, "ES256": EC, "RS256": RSA, "PS256": RSA}
SET = {
    "keys": [
        {**OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True), "kid": "EdDSA"},
        {**ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": "ES256"},
        {**RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "RS256", "alg": "RS256"},
        {**RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "PS256", "alg": "PS256"},
    ]
}
NAME, AUDIENCE, PREFIX = "https://id.example.com", "chat", "ex-"


def token(alg: str = "EdDSA", *, key: Any = None, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token of the issuer, with some claims changed; None removes one."""
    now = int(time.time())
    claims = {"iss": NAME, "aud": AUDIENCE, "sub": "ann", "name": "Ann", "sid": "1", "iat": now, "exp": now + 60}
    claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    headers = {name: value for name, value in {"kid": alg, **(header or {})}.items() if value is not None}
    return jwt.encode(claims, key or PRIVATE[alg], algorithm=alg, headers=headers)


async def verifier(folder: Path, **more: Any) -> Verifier:
    """Ours, and the issuer's with its keys in a file."""
    file = folder / "jwks.json"
    if not file.exists():
        file.write_text(json.dumps(SET))
    usual = {"issuer": NAME, "audience": AUDIENCE, "jwks_file": str(file), "user_prefix": PREFIX}
    trusted = TrustedIssuer(**{**usual, "algorithms": tuple(PRIVATE), **more})
    async with aiohttp.ClientSession() as http:
        return Verifier(OURS, await open_issuers([trusted], http, time.time))


async def verified(folder: Path, bearer: str, **more: Any) -> Verified:
    """Whose `bearer` is."""
    return await (await verifier(folder, **more)).verify(bearer)


async def refusal(folder: Path, bearer: str, **more: Any) -> ErrorCode:
    """How `bearer` is refused."""
    with pytest.raises(ParleyError) as caught:
        await verified(folder, bearer, **more)
    return caught.value.code


@pytest.mark.parametrize("alg", PRIVATE)
async def test_a_token_says_who_bears_it(tmp_path: Path, alg: str) -> None:
    """With each of the algorithms; the id begins with the issuer's prefix, and the session is one of its own."""
    now = int(time.time())
    told = await verified(tmp_path, token(alg, iat=now - 0.25, exp=now + 60.75))
    assert told.user == User(id="ex-ann", display_name="Ann")
    assert re.fullmatch(r"x-[0-9a-f]{40}", told.session)
    assert (told.issued_at, told.expires_at) == (now * 1000 - 250, now + 60)


async def test_ours_are_verified_as_ever(tmp_path: Path) -> None:
    """By our keys and rules, whoever else is trusted."""
    ann = User(id="u-ann", display_name="Ann")
    told = await verified(tmp_path, OURS.issue(ann, "s-1"))
    assert (told.user, told.session) == (ann, "s-1")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://another.example.com"},
        {"iss": NAME + "/"},
        {"iss": "parley"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"iat": 2**33},
        {"nbf": 2**33},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "\ud800"},
        {"exp": "soon"},
        {"padding": "x" * 4096},
    ],
    ids=lambda each: str(each)[:40],
)
async def test_anything_else_is_unauthorized(tmp_path: Path, changed: dict[str, Any]) -> None:
    """Issuer, audience, times and user are looked at; another issuer's name leads to its keys, which fit not."""
    assert await refusal(tmp_path, token(**changed)) == ErrorCode.UNAUTHORIZED


async def test_one_of_several_audiences_is_enough(tmp_path: Path) -> None:
    """As RFC 7519 has it."""
    assert (await verified(tmp_path, token(aud=["another", AUDIENCE]))).user.id == "ex-ann"


@pytest.mark.parametrize("header", [{"kid": "../x"}, {"kid": "RS256"}, {"crit": ["b64"], "b64": True}, {"b64": True}])
async def test_headers_that_are_refused(tmp_path: Path, header: dict[str, Any]) -> None:
    """An unknown kid, another key's, and whatever must be understood."""
    first, _, rest = token().partition(".")
    del first
    signing_input = base64url_encode(json.dumps({"alg": "EdDSA", "kid": "EdDSA", **header}).encode()).decode() + "."
    signing_input += rest.partition(".")[0]
    bearer = f"{signing_input}.{base64url_encode(ED.sign(signing_input.encode())).decode()}"
    assert await refusal(tmp_path, bearer) == ErrorCode.UNAUTHORIZED


async def test_keys_in_the_token_are_not_looked_at(tmp_path: Path) -> None:
    """`jwk`, `jku` and `x5u` are the bearer's word."""
    own = ed25519.Ed25519PrivateKey.generate()
    jwk = OKPAlgorithm.to_jwk(own.public_key(), as_dict=True)
    for header in ({"jwk": jwk}, {"jku": "http://127.0.0.1:1/"}, {"x5u": "http://127.0.0.1:1/"}):
        assert await refusal(tmp_path, token(key=own, header=header)) == ErrorCode.UNAUTHORIZED
        assert (await verified(tmp_path, token(header=header))).user.id == "ex-ann"


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256"])
async def test_a_public_key_is_no_secret(tmp_path: Path, alg: str) -> None:
    """HS256 with it (RFC 8725, 2.1), and none at all."""
    public = PRIVATE[alg].public_key()
    secrets = [public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), json.dumps(SET["keys"]).encode()]
    body = token().split(".")[1]
    for secret in secrets:
        signing_input = base64url_encode(json.dumps({"alg": "HS256", "kid": alg}).encode()).decode() + "." + body
        signature = base64url_encode(hmac.digest(secret, signing_input.encode(), "sha256")).decode()
        assert await refusal(tmp_path, f"{signing_input}.{signature}") == ErrorCode.UNAUTHORIZED
    head = base64url_encode(json.dumps({"alg": "none", "kid": alg}).encode()).decode()
    assert await refusal(tmp_path, f"{head}.{body}.") == ErrorCode.UNAUTHORIZED


async def test_only_the_algorithms_that_are_trusted(tmp_path: Path) -> None:
    """Though the issuer publishes keys for others."""
    assert await refusal(tmp_path, token("RS256"), algorithms=("EdDSA",)) == ErrorCode.UNAUTHORIZED
    assert await refusal(tmp_path, token("RS256", header={"kid": "PS256"})) == ErrorCode.UNAUTHORIZED


async def test_a_token_without_kid(tmp_path: Path) -> None:
    """Is good if there is but one key that it can mean."""
    assert (await verified(tmp_path, token(header={"kid": None}))).user.id == "ex-ann"
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [SET["keys"][0], {**SET["keys"][0], "kid": "again"}]}))
    assert await refusal(tmp_path, token(header={"kid": None})) == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize(
    ("said", "good"), [("at+jwt", True), ("application/at+jwt", True), ("AT+JWT", True), ("JWT", False), ("", False)]
)
async def test_the_type_can_be_pinned(tmp_path: Path, said: str, good: bool) -> None:  # noqa: FBT001 - a case
    """So that an ID token is no access token (RFC 9068)."""
    bearer = token(header={"typ": said})
    if good:
        await verified(tmp_path, bearer, type="at+jwt")
    else:
        assert await refusal(tmp_path, bearer, type="at+jwt") == ErrorCode.UNAUTHORIZED
    await verified(tmp_path, bearer)


async def test_it_lives_no_longer_than_a_day(tmp_path: Path) -> None:
    """Whatever it says; and when it has expired, that is told."""
    now = int(time.time())
    assert (await verified(tmp_path, token(exp=2**33))).expires_at <= now + TOKEN_SECONDS_MOST + 1
    assert await refusal(tmp_path, token(exp=now - 11)) == ErrorCode.EXPIRED
    assert await refusal(tmp_path, token(exp=2**33, iat=now - TOKEN_SECONDS_MOST - 11)) == ErrorCode.EXPIRED


@pytest.mark.parametrize(
    "sub", ["auth0|5f7c", "ann@example.com", "a" * 62, "ä", "h-" + "0" * 40, "h-", "*", ">", "a.b"]
)
async def test_a_user_that_is_no_id_is_hashed(tmp_path: Path, sub: str) -> None:
    """The id is always one, always the same, and never what another user's claim spells."""
    told = (await verified(tmp_path, token(sub=sub))).user.id
    assert re.fullmatch(r"ex-h-[0-9a-f]{40}", told)
    assert (await verified(tmp_path, token(sub=sub, sid="2"))).user.id == told
    mimic = (await verified(tmp_path, token(sub=told.removeprefix(PREFIX)))).user.id
    assert mimic != told
    assert re.match(ID_PATTERN, told)


async def test_claims_can_be_mapped(tmp_path: Path) -> None:
    """Each has a name of the issuer's choice."""
    names = ClaimNames(user="oid", display_name="given", username="login", session="sess")
    told = await verified(tmp_path, token(oid="7", given="Zoë", login="zoe", sess="9"), claims=names)
    assert told.user == User(id="ex-7", display_name="Zoë", username="zoe")
    assert told.session != (await verified(tmp_path, token(oid="7", sess="10"), claims=names)).session
    assert await refusal(tmp_path, token(), claims=names) == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("name", [None, 7, "", " ", "a\u202eb", "x" * 65, "a\nb", "\ud800", {"$gt": ""}])
async def test_a_name_that_cannot_be_shown(tmp_path: Path, name: Any) -> None:
    """Locks nobody out: the username is shown instead, or the id."""
    assert (await verified(tmp_path, token(name=name))).user.display_name == "ex-ann"
    names = ClaimNames(username="login")
    told = (await verified(tmp_path, token(name=name, login="ann"), claims=names)).user
    assert (told.display_name, told.username) == ("ann", "ann")
    told = (await verified(tmp_path, token(login=name), claims=names)).user
    assert (told.display_name, told.username) == ("Ann", None)


async def test_a_session_is_one_users(tmp_path: Path) -> None:
    """The same for all tokens with the claim, and no other user's, nor that of a token without it."""
    session = (await verified(tmp_path, token())).session
    assert (await verified(tmp_path, token(jti="7", name="Ann B."))).session == session
    others = [token(sid="2"), token(sub="bob"), token(sid=None), token(sid=None, jti="1"), token(sid=None, jti="2")]
    assert len({session, *[(await verified(tmp_path, each)).session for each in others]}) == 6


async def test_a_signature_made_anew_is_no_other_session(tmp_path: Path) -> None:
    """With ES256 anybody can turn (r, s) into (r, n - s): who was logged out must not get in with that."""
    bearer = token("ES256", sid=None)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signing_input, _, encoded = bearer.rpartition(".")
    signature = jwt.utils.base64url_decode(encoded)
    turned = signature[:32] + (order - int.from_bytes(signature[32:])).to_bytes(32)
    twin = f"{signing_input}.{base64url_encode(turned).decode()}"
    assert twin != bearer
    assert (await verified(tmp_path, twin)).session == (await verified(tmp_path, bearer)).session


@pytest.mark.parametrize(
    ("data", "said"), [(None, "No such file"), ("{}", "no key set"), ('{"keys":[]}', "no key in it")]
)
async def test_a_bad_file_of_keys_is_named(tmp_path: Path, data: str | None, said: str) -> None:
    """At start, in one line."""
    file = tmp_path / "bad.json"
    if data is not None:
        file.write_text(data)
    with pytest.raises(SettingsError, match=f"^TRUSTED_ISSUERS_FILE: keys of '{NAME}': .*{said}"):
        await verifier(tmp_path, jwks_file=str(file))
