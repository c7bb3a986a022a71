"""Auth: whether people can sign in, and those who must not cannot."""

from deploy.observability.board import board as made
from deploy.observability.panel import Panel
from deploy.observability.panels import lines, number
from deploy.observability.queries import WINDOW, Metrics, or_none
from deploy.observability.shared import limits, mongo, nats_client, process
from deploy.observability.steps import alarm, floor

UID = "parley-auth"

_auth = Metrics('job="parley-auth",instance=~"$instance"')
_OURS = 'result=~"unavailable|internal"'


def board() -> str:
    """Requests, sessions, keys."""
    return made(
        UID,
        "Parley / Auth",
        "Can people sign in, and can those who must not? Connections that are open live on while auth is away: new"
        " ones do not come in.",
        {
            "Does it answer?": _answers(),
            "Requests": _requests(),
            "Sessions and tokens": _sessions(),
            "Keys": _keys(),
            "MongoDB": mongo(_auth),
            "Limits": limits(_auth),
            "NATS": nats_client(_auth),
            "The process": process(_auth),
        },
        instances='parley_build_info{job="parley-auth"}',
    )


def _answers() -> list[Panel]:
    of = _auth
    requests = "parley_auth_requests_total"
    return [
        number(
            "Answered without a failure of ours",
            "Of the last 5 minutes: neither `unavailable` nor `internal`. Below, people cannot sign in: look at"
            " MongoDB.",
            "percentunit",
            f"1 - ({or_none(of.rate(requests, only=_OURS, over='5m'))}) / {of.rate(requests, over='5m')}",
            steps=floor(0.999, warn=0.99),
            width=6,
            decimals=2,
            runbooks=["ParleyAuthFailing"],
        ),
        number(
            "Verifying a token, p99",
            "Of the last 5 minutes: every connect waits for it.",
            "s",
            of.quantile(0.99, "parley_auth_request_duration_seconds", only='group="verify"', over="5m"),
            steps=alarm(0.5, warn=0.1),
            width=6,
            runbooks=["ParleyAuthSlow"],
        ),
        number(
            "Attempts refused, last hour",
            "For too many wrong passwords or too many accounts from one address. A surge is somebody who guesses.",
            "none",
            of.increase("parley_auth_attempts_refused_total", over="1h"),
            steps=alarm(1000, warn=50),
            width=6,
            decimals=0,
            empty="no auth",
            runbooks=["ParleyLoginAttemptsRefused"],
        ),
        number(
            "Age of the signing key",
            "Make the next one (`services.auth rotate`) when it is older than your rules say; 90 days is a usual"
            " one.",
            "s",
            of.max("parley_auth_signing_key_age_seconds"),
            steps=alarm(180 * 86_400, warn=90 * 86_400),
            width=6,
            empty="no auth",
            runbooks=["ParleySigningKeyOld"],
        ),
    ]


def _requests() -> list[Panel]:
    of = _auth
    return [
        lines(
            "Requests",
            "A second, by kind. `verify` follows connects; `rooms_check` follows joins of private rooms.",
            "cps",
            {"{{kind}}": of.rate("parley_auth_requests_total", "kind")},
        ),
        lines(
            "Requests that were not ok",
            "A second, by kind and code. `unavailable` and `internal` are ours; `unauthorized` of `login` are wrong"
            " passwords.",
            "cps",
            {"{{kind}} {{result}}": of.rate("parley_auth_requests_total", "kind", "result", only='result!="ok"')},
            runbooks=["ParleyAuthFailing"],
        ),
        lines(
            "Time to answer, p99",
            "By group. `passwords` takes as long as a hash does, on purpose, and longer when they queue.",
            "s",
            {"{{group}}": of.quantile(0.99, "parley_auth_request_duration_seconds", "group")},
            steps=alarm(1),
            runbooks=["ParleyAuthSlow"],
        ),
    ]


def _sessions() -> list[Panel]:
    of = _auth
    return [
        lines(
            "Tokens issued",
            "A second, by kind.",
            "cps",
            {"{{kind}}": of.rate("parley_auth_tokens_issued_total", "kind")},
        ),
        lines(
            "Sessions",
            "A second: opened, gone on with (a refresh), ended and why. `reuse` is a refresh token that was used"
            " twice: stolen, or a client with a fault.",
            "cps",
            {
                "opened": of.rate("parley_auth_sessions_opened_total"),
                "refreshed": of.rate("parley_auth_sessions_refreshed_total"),
                "revoked: {{reason}}": of.rate("parley_auth_sessions_revoked_total", "reason"),
            },
        ),
        lines(
            "Until a revocation is stored",
            "From being asked to its being in the CONTROL stream, p99, by result; gateways then need some more"
            " milliseconds (Delivery integrity).",
            "s",
            {"{{result}} p99": of.quantile(0.99, "parley_auth_revocation_duration_seconds", "result")},
            steps=alarm(1),
            runbooks=["ParleyRevocationsFailing"],
        ),
        lines(
            "Attempts refused",
            "A second, by limit. `login_account`: one account is being guessed; `login_address`: one address"
            " guesses.",
            "cps",
            {"{{limit}}": of.rate("parley_auth_attempts_refused_total", "limit")},
            width=24,
            runbooks=["ParleyLoginAttemptsRefused"],
        ),
    ]


def _keys() -> list[Panel]:
    of = _auth
    return [
        lines(
            "Keys that verify",
            "All instances should say the same; one that differs does not see the others' folder.",
            "short",
            {"{{instance}}": of.of("parley_auth_keys")},
            runbooks=["ParleySigningKeysDiffer"],
        ),
        lines(
            "Age of the signing key",
            "Falls when a new one begins to sign.",
            "s",
            {"{{instance}}": of.of("parley_auth_signing_key_age_seconds")},
            runbooks=["ParleySigningKeyOld"],
        ),
        lines(
            "Trouble with keys",
            "A second: looks at the folder that found it unusable, and keys of trusted issuers that were fetched or"
            " not.",
            "cps",
            {
                "folder unusable": of.rate("parley_auth_key_reload_failures_total"),
                "fetched from {{issuer}}: {{result}}": (
                    f"sum by (issuer, result) (rate({of.of('parley_auth_jwks_fetches_total')}[{WINDOW}]))"
                ),
            },
            runbooks=["ParleySigningKeysUnreadable", "ParleyJwksFetchFailing"],
        ),
    ]
