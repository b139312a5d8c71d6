"""Who is asked what he knows when a dossier opens, as the settings say, for as long as the service lives."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from api.app import Lifespan
from api.metrics import Metrics
from api.notifying import read_secrets, working
from api.parts import Parts
from api.services.asking import Peer
from api.services.fund import FundInquiry, HttpReimbursementSource
from api.services.inquiries import Inquiries, Source
from api.services.pharmaceutical_record import HttpPharmaceuticalRecord, PharmaceuticalInquiry
from api.settings import Settings
from models.queries.inquiries import Unanswered
from models.vocabulary import InquirySource


def asked_of(settings: Settings) -> frozenset[InquirySource]:
    """Who is asked."""
    addresses = {
        InquirySource.FUND: settings.fund_url,
        InquirySource.PHARMACEUTICAL_RECORD: settings.pharmaceutical_record_url,
    }
    return frozenset(source for source, address in addresses.items() if address)


def inquiries_of(
    settings: Settings,
    parts: Parts,
    use_cases: Mapping[str, Any],
    metrics: Metrics,
    now: Callable[[], datetime],
) -> Inquiries:
    """What is still to be asked. Raises SettingsError on a secret that is none."""

    def observe(unanswered: Unanswered) -> None:
        metrics.observe_inquiries(unanswered.waiting, unanswered.given_up)

    sources: dict[InquirySource, Source] = {}
    if settings.fund_url and settings.fund_secret_file and settings.fund_organization:
        secrets = read_secrets(settings.fund_secret_file, "DMP_FUND_SECRET_FILE")
        sources[InquirySource.FUND] = FundInquiry(
            HttpReimbursementSource(Peer(settings.fund_url, secrets), now),
            settings.fund_organization,
            use_cases["feeding"],
            use_cases["treating_physicians"],
            use_cases["reimbursements"],
        )
    if settings.pharmaceutical_record_url and settings.pharmaceutical_record_secret_file:
        secrets = read_secrets(settings.pharmaceutical_record_secret_file, "DMP_PHARMACEUTICAL_RECORD_SECRET_FILE")
        sources[InquirySource.PHARMACEUTICAL_RECORD] = PharmaceuticalInquiry(
            HttpPharmaceuticalRecord(Peer(settings.pharmaceutical_record_url, secrets), now),
            use_cases["dispensations"],
        )
    return Inquiries(parts.database, parts.dossier_keys, sources, now, observe)


def inquiring(inquiries: Inquiries) -> Lifespan:
    """Ask what is due, and count what waits."""
    ask = inquiries.ask_due if inquiries.is_asked else None
    return working("inquiries_halted", inquiries.look, ask, inquiries.close)
