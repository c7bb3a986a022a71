"""A verdict for people."""

from checker.judge import Verdict


def text(verdict: Verdict) -> str:
    """What was compared, and what came of it; violations are counted, and the first of them listed."""
    outcomes = (
        f"{verdict.acknowledged} acknowledged, {verdict.refused} refused, {verdict.unconfirmed} of unknown outcome"
    )
    faults = f"{verdict.lost} lost, {verdict.duplicates} twice, {verdict.out_of_order} out of order"
    stays = f"in {verdict.stays} stays ({verdict.stays_cut_off} cut off)"
    lines = [
        f"account: {verdict.sent} messages sent: {outcomes}",
        f"deliveries: {verdict.expected} owed, {verdict.received} received {stays}: {faults}",
    ]
    lines += [
        f"  {each.kind}: {each.room} seq {each.seq} id {each.id}, reader {each.reader}" for each in verdict.shown
    ]
    total = sum(verdict.counts.values())
    if total > len(verdict.shown):
        lines.append(f"  ... and {total - len(verdict.shown)} more")
    if verdict.holds:
        lines.append("verdict: every acknowledged message was received exactly once and in order, and is in history")
    elif total:
        lines.append("verdict: BROKEN: " + ", ".join(f"{n} {kind}" for kind, n in verdict.counts.items()))
    else:
        lines.append("verdict: NOTHING SHOWN: no message was acknowledged, or nobody stayed to the end")
    return "\n".join(lines)
