"""Access tokens: what is issued verifies, and nothing else does."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.auth import keys
from services.auth.keys import SigningKey
from services.auth.settings import TokenSettings
from services.auth.tokens import Tokens
from tests.unit.test_codec import json_values
from wire import codec
from wire.accounts import Verified
from wire.errors import ErrorCode, ParleyError
from wire.messages import User
from wire.streams import TOKEN_SECONDS_MOST

LONG_SECONDS = 7200
"""Longer than the whole suite takes: `GOOD` is issued when it begins."""
SETTINGS = TokenSettings(
    signing_keys_dir="unused",
    token_issuer="issuer",  # noqa: S106
    token_audience="audience",  # noqa: S106
    access_token_seconds=LONG_SECONDS,
)
ANN = User(id="u-ann", display_name="Ann", username="ann")
KEY = keys._signing_key(Ed25519PrivateKey.generate())
OTHER_KEY = keys._signing_key(Ed25519PrivateKey.generate())
TOKENS = Tokens([KEY], SETTINGS, time.time)
GOOD = TOKENS.issue(ANN, "s-1")
HEADER = {"alg": "EdDSA", "kid": KEY.kid, "typ": "at+jwt"}


def part(data: bytes) -> str:
    """One part of a compact token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of `GOOD`, with some changed; None removes one."""
    same = jwt.decode(GOOD, options={"verify_signature": False})
    return {name: value for name, value in {**same, **changed}.items() if value is not None}


def signed(payload: dict[str, Any], key: SigningKey = KEY, **header: Any) -> str:
    """A token signed by `key`, well formed but for what is asked for."""
    return jwt.encode(payload, key.private, algorithm="EdDSA", headers={**HEADER, "kid": key.kid, **header})


def assembled(header: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token with exactly this header, which no library would sign, over the claims of `GOOD`."""
    signing_input = f"{part(json.dumps(header).encode())}.{part(json.dumps(claims()).encode())}"
    return f"{signing_input}.{part(sign(signing_input.encode()))}"


def _hmac(secret: bytes, data: bytes) -> bytes:
    return hmac.digest(secret, data, "sha256")


def refusal(token: str, tokens: Tokens = TOKENS) -> ErrorCode:
    """The code with which `token` is refused."""
    with pytest.raises(ParleyError) as caught:
        tokens.verify(token)
    return caught.value.code


def test_what_is_issued_verifies() -> None:
    """A token says who bears it, for which session, until when; a guest's has no username."""
    now = int(time.time())
    tokens = Tokens([KEY], SETTINGS, lambda: now)
    verified = tokens.verify(tokens.issue(ANN, "s-1"))
    assert (verified.user, verified.session) == (ANN, "s-1")
    assert verified.expires_at == now + tokens.lifetime
    guest = User(id="u-bob", display_name="Bob")
    assert tokens.verify(tokens.issue(guest, "s-2")).user == guest


def test_no_two_tokens_are_the_same() -> None:
    """Each has an id of its own, so that one can be told from another issued in the same second."""
    tokens = Tokens([KEY], SETTINGS, lambda: int(time.time()))
    ids = {jwt.decode(tokens.issue(ANN, "s"), options={"verify_signature": False})["jti"] for _ in range(50)}
    assert len(ids) == 50


def test_an_expired_token_is_expired() -> None:
    """A client learns that it must sign in again or refresh, and not that its token is bad."""
    past = time.time() - TOKENS.lifetime - 60
    assert refusal(Tokens([KEY], SETTINGS, lambda: past).issue(ANN, "s")) == ErrorCode.EXPIRED


@pytest.mark.parametrize(
    ("early", "late"), [({"iat": 10}, {"iat": 11}), ({"nbf": 10.1}, {"nbf": 11.0}), ({"exp": -9}, {"exp": -10})]
)
def test_ten_seconds_of_leeway(early: dict[str, float], late: dict[str, float]) -> None:
    """Clocks differ by so much, and by no more."""
    now = 1_800_000_000
    tokens = Tokens([KEY], SETTINGS, lambda: now + 0.2)

    def token(times: dict[str, float]) -> str:
        return signed(claims(**{"iat": now, "exp": now + 60, **{name: now + at for name, at in times.items()}}))

    assert tokens.verify(token(early)).user == ANN
    with pytest.raises(ParleyError):
        tokens.verify(token(late))


def test_a_token_lives_no_longer_than_a_day() -> None:
    """Whatever it says: revocations are kept that long."""
    now = time.time()
    forever = {"iat": now - TOKEN_SECONDS_MOST + 60, "exp": 2**35}
    assert TOKENS.verify(signed(claims(**forever))).expires_at == int(now) + 60
    assert refusal(signed(claims(iat=now - TOKEN_SECONDS_MOST - 20, exp=2**35))) == ErrorCode.EXPIRED


@pytest.mark.parametrize("fraction", [0, 0.001, 0.123, 0.999])
def test_when_it_was_issued_is_told_in_milliseconds(fraction: float) -> None:
    """Also if a token says it in whole seconds."""
    now = int(time.time())
    assert TOKENS.verify(signed(claims(iat=now + fraction))).issued_at == now * 1000 + round(fraction * 1000)


def test_a_forged_token_is_unauthorized_even_when_expired() -> None:
    """`expired` is told only to those who once had a good token."""
    assert refusal(signed(claims(exp=1), OTHER_KEY, kid=KEY.kid)) == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(signed(claims(iss="somebody")), id="issuer"),
        pytest.param(signed(claims(aud="somebody")), id="audience"),
        pytest.param(signed(claims(aud=[])), id="empty audience"),
        pytest.param(signed(claims(iat=2**40)), id="from the future"),
        pytest.param(signed(claims(nbf=2**40)), id="not yet"),
        pytest.param(signed(claims(exp="soon")), id="expiry that is no number"),
        pytest.param(signed(claims(exp=str(2**31))), id="expiry that is text"),
        pytest.param(signed(claims(exp=True)), id="expiry that is true"),
        pytest.param(signed(claims(exp=float("nan"))), id="expiry that is NaN"),
        pytest.param(signed(claims(exp=float("inf"))), id="no end"),
        pytest.param(signed(claims(iat=-1)), id="from before the epoch"),
        pytest.param(signed(claims(iat="now")), id="text for a time of issue"),
        pytest.param(signed(claims(sub="a.b")), id="user that is no id"),
        pytest.param(signed(claims(sub=7)), id="user that is a number"),
        pytest.param(signed(claims(sid="*")), id="session that is no id"),
        pytest.param(signed(claims(sid="s" * 65)), id="session that is too long"),
        pytest.param(signed(claims(name=7)), id="name that is a number"),
        pytest.param(signed(claims(), OTHER_KEY), id="unknown kid"),
        pytest.param(signed(claims(), OTHER_KEY, kid=KEY.kid), id="another key under our kid"),
        pytest.param(signed(claims(), kid=""), id="empty kid"),
        pytest.param(signed(claims(), kid="../../dev/null"), id="kid with a path"),
        pytest.param(signed(claims(), typ="JWT"), id="type of an ID token"),
        pytest.param(signed(claims(), typ=None), id="no type"),
        pytest.param(GOOD[:-6] + ("AAAAAA" if GOOD[-6:] != "AAAAAA" else "BBBBBB"), id="signature"),
        pytest.param(GOOD[: GOOD.rindex(".") + 1], id="no signature"),
        pytest.param(GOOD[: GOOD.rindex(".")], id="two parts"),
        pytest.param(GOOD + ".", id="four parts"),
        pytest.param(GOOD[:-1], id="truncated"),
        pytest.param(GOOD[:40], id="truncated header"),
        pytest.param("", id="empty"),
        pytest.param("..", id="dots"),
        pytest.param("Bearer " + GOOD, id="scheme"),
        pytest.param("é.é.é", id="not ASCII"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param("a" * 1_000_000, id="1 MB"),
        pytest.param(GOOD + "A" * 1_000_000, id="1 MB of signature"),
        pytest.param(part(b"[" * 2900) + ".e30.x", id="bottomless header"),
        pytest.param(part(b'{"a":' * 580) + ".e30.x", id="bottomless object"),
    ],
)
def test_anything_else_is_unauthorized(token: str) -> None:
    """Every claim, the type, the key and the signature count; garbage of any size is refused, and nothing raises."""
    assert refusal(token) == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "name"])
def test_no_claim_may_be_missing(claim: str) -> None:
    """A token that lacks one is not ours, well signed or not."""
    assert TOKENS.verify(signed(claims())).user == ANN
    assert refusal(signed(claims(**{claim: None}))) == ErrorCode.UNAUTHORIZED


PUBLIC_RAW = KEY.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
PUBLIC_PEM = KEY.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_the_algorithm_is_ours_to_choose() -> None:
    """`none`, and HMAC with a public key as the secret, are the classical forgeries (RFC 8725, 2.1)."""
    assert TOKENS.verify(assembled(HEADER, KEY.private.sign)).user == ANN
    for name in ("none", "None", "NONE", ""):
        assert refusal(assembled({**HEADER, "alg": name}, lambda _: b"")) == ErrorCode.UNAUTHORIZED
    for secret in (PUBLIC_RAW, PUBLIC_PEM, json.dumps(KEY.jwk()).encode(), b""):
        sign = partial(_hmac, secret)
        assert refusal(assembled({**HEADER, "alg": "HS256"}, sign)) == ErrorCode.UNAUTHORIZED


@pytest.mark.parametrize("alg", ["HS256", "ES256", "RS256", "Ed448", "", None, 7, ["EdDSA"], {}])
def test_a_good_signature_under_another_name_is_refused(alg: Any) -> None:
    """The header may not say that the signature is anything else than what it is."""
    assert refusal(assembled({**HEADER, "alg": alg}, KEY.private.sign)) == ErrorCode.UNAUTHORIZED


def test_a_key_in_the_token_is_not_used() -> None:
    """A forger's own key, embedded or linked in the header, verifies nothing (RFC 8725, 3.10)."""
    for extra in ({"jwk": OTHER_KEY.jwk()}, {"jku": "http://127.0.0.1/jwks"}, {"x5c": ["AAAA"]}):
        assert refusal(assembled({**HEADER, **extra}, OTHER_KEY.private.sign)) == ErrorCode.UNAUTHORIZED


def test_unknown_critical_headers_are_refused() -> None:
    """A header that must be understood and is not makes the token invalid (RFC 7515, 4.1.11)."""
    extras: list[dict[str, Any]] = [{"crit": ["x"], "x": 1}, {"crit": ["b64"], "b64": True}, {"crit": []}]
    for extra in [*extras, {"b64": False}]:
        assert refusal(assembled({**HEADER, **extra}, KEY.private.sign)) == ErrorCode.UNAUTHORIZED


def test_a_long_token_is_refused_before_it_is_decoded() -> None:
    """4096 bytes are good, one more is not, however well it is signed."""

    def token(padding: int) -> str:
        return signed(claims(padding="x" * padding))

    longest = next(size for size in range(2700, 3100) if len(token(size)) in {4095, 4096})
    assert TOKENS.verify(token(longest)).user == ANN
    assert refusal(token(longest + 3)) == ErrorCode.UNAUTHORIZED


@settings(deadline=None)
@given(st.text(max_size=300) | st.lists(st.binary(max_size=80).map(part), max_size=5).map(".".join))
def test_garbage_never_raises_anything_else(token: str) -> None:
    """Whatever the text, the answer is `unauthorized`."""
    assert refusal(token) == ErrorCode.UNAUTHORIZED


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_a_header_of_any_json_never_raises_anything_else(value: Any) -> None:
    """Also when the header is JSON of a shape that no token has, whole or in one of its fields."""
    tail = GOOD.partition(".")[2]
    headers = [value, *({**HEADER, name: value} for name in HEADER)]
    for each in headers:
        token = f"{part(json.dumps(each).encode())}.{tail}"
        assert refusal(token) == ErrorCode.UNAUTHORIZED


def test_keys_can_be_rotated() -> None:
    """Of several keys one signs and all verify; the tokens of a key that is gone are refused, whichever it was."""
    now = time.time()
    newer = msgspec.structs.replace(OTHER_KEY, made=now - SETTINGS.key_activation_seconds)
    both = Tokens([KEY, newer], SETTINGS, lambda: now)
    fresh = both.issue(ANN, "s-1")
    assert jwt.get_unverified_header(fresh)["kid"] == OTHER_KEY.kid
    assert both.verify(fresh).user == both.verify(GOOD).user == ANN
    assert refusal(fresh) == ErrorCode.UNAUTHORIZED
    both.use([KEY])
    assert refusal(fresh, both) == ErrorCode.UNAUTHORIZED
    assert jwt.get_unverified_header(both.issue(ANN, "s-1"))["kid"] == KEY.kid


def test_a_key_signs_once_it_is_old_enough() -> None:
    """While the service runs, without anything that tells it; from the first second on all that it signs verifies."""
    clock = [1_000_000.0]
    newer = msgspec.structs.replace(OTHER_KEY, made=clock[0])
    tokens = Tokens([KEY, newer], SETTINGS, lambda: clock[0])
    clock[0] += SETTINGS.key_activation_seconds - 1
    assert jwt.get_unverified_header(tokens.issue(ANN, "s-1"))["kid"] == KEY.kid
    clock[0] += 1
    assert jwt.get_unverified_header(tokens.issue(ANN, "s-1"))["kid"] == OTHER_KEY.kid
    assert {each["kid"] for each in Tokens.keys(tokens)} == {KEY.kid, OTHER_KEY.kid}


# --- keys -----------------------------------------------------------------------------------------------------------


def test_published_keys_verify_with_a_library_alone() -> None:
    """Somebody who has nothing but the JWKs can verify a token with PyJWT, and finds the key by its kid."""
    published = jwt.PyJWKSet.from_dict({"keys": Tokens([OTHER_KEY, KEY], SETTINGS, time.time).keys()})
    key = published[jwt.get_unverified_header(GOOD)["kid"]]
    assert jwt.decode(GOOD, key, algorithms=["EdDSA"], issuer="issuer", audience="audience")["sub"] == ANN.id
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(GOOD, published[OTHER_KEY.kid], algorithms=["EdDSA"], issuer="issuer", audience="audience")


def test_published_keys_have_no_private_part() -> None:
    """A JWK has exactly the members that say how to verify; `d`, the private key, is not one."""
    published = TOKENS.keys()
    assert [set(each) for each in published] == [{"kty", "crv", "x", "kid", "alg", "use"}]
    private = KEY.private.private_bytes_raw()
    assert part(private) not in json.dumps(published)
    assert published[0]["x"] == part(PUBLIC_RAW)


def test_the_kid_is_the_thumbprint_of_the_key() -> None:
    """RFC 7638, with the key and the thumbprint of RFC 8037, appendix A.1 to A.3."""
    secret = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = keys._signing_key(Ed25519PrivateKey.from_private_bytes(secret))
    assert key.jwk()["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.kid == key.jwk()["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp", "name", "preferred_username"]),
    json_values,
)
@example("iat", float("inf"))
@example("exp", float("inf"))
@example("exp", float("nan"))
@example("exp", 10**400)
@example("iat", -(10**400))
@example("nbf", "0")
@example("sub", ">")
def test_claims_of_any_json_never_raise_anything_else(claim: str, value: Any) -> None:
    """Signed by the right key: a bearer whom every service can hear of, or refused."""
    token = assembled_by(HEADER, {**claims(), claim: value})
    try:
        verified = TOKENS.verify(token)
    except ParleyError as error:
        code = error.code
    else:
        assert codec.Decoder(Verified).decode(codec.encode(verified)) == verified
        return
    assert code in {ErrorCode.UNAUTHORIZED, ErrorCode.EXPIRED}


def assembled_by(header: dict[str, Any], payload: dict[str, Any]) -> str:
    """A token over claims that no library would sign."""
    signing_input = f"{part(json.dumps(header).encode())}.{part(json.dumps(payload).encode())}"
    return f"{signing_input}.{part(KEY.private.sign(signing_input.encode()))}"
