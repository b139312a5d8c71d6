"""What the description of the service shows of documents."""

DOCUMENT = {
    "id": "7c0f3c1e-2f51-4b57-9d7e-51f6c2d1ab03",
    "dossier": "5d6a1a2e-66a5-4c6c-9f4e-0f3f9c3f8a01",
    "series": "c3b1f1d2-0a0e-4f0b-8f37-3c6f3a1f2b10",
    "version": 2,
    "document_type": "18748-4",
    "space": "imaging",
    "author": {"type": "organization", "id": "750000002"},
    "created_at": "2026-10-01T08:00:00Z",
    "status": "current",
    "masked": False,
    "withheld": False,
    "hidden_from_representatives": False,
    "may": ["document:read", "document:mask", "document:unmask", "document:contest"],
    "obligations": ["write_down"],
    "has_content": True,
    "title": "Échographie du côté gauche",
    "content_type": "application/pdf",
    "size": 182_044,
    "deposited_at": "2026-10-01T08:12:31Z",
}
PAGE = {"documents": [DOCUMENT], "next": None}
_CONTESTED = {
    "reason": "Wrong side.",
    "at": "2026-10-02T09:00:00Z",
    "answered_at": "2026-10-03T10:30:00Z",
}
VERSIONS = {
    "versions": [
        DOCUMENT,
        DOCUMENT
        | {
            "id": DOCUMENT["series"],
            "version": 1,
            "status": "superseded",
            "may": ["document:read", "document:mask", "document:unmask"],
            "contested": _CONTESTED,
        },
    ]
}
