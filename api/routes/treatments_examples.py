"""What the description of the service shows of treatments."""

_FIRST, _SECOND = "5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11", "9a1f0c7e-44c2-4c53-9d2b-6f0a1b2c3d4e"
_THESAURUS = {"name": "ANSM, Thesaurus des interactions médicamenteuses", "year": 2020}
_CLARITHROMYCIN = {
    "kind": "dispensation",
    "label": "Clarithromycine 500 mg",
    "codes": [{"system": "atc", "code": "J01FA09"}],
    "begins": "2026-10-01",
    "ends": "2026-10-07",
}
_LINE = {
    "at": "2026-10-01T08:00:00Z",
    "kind": "dispensation",
    "document": {
        "id": _FIRST,
        "dossier": "0b7d5b0e-6f5c-4f0b-9c43-1f6a8c1d2e3f",
        "series": _FIRST,
        "version": 1,
        "document_type": "60593-1",
        "space": "treatments",
        "author": {"type": "organization", "id": "750000010"},
        "created_at": "2026-10-01T08:00:00Z",
        "status": "current",
        "masked": False,
        "withheld": False,
        "hidden_from_representatives": False,
        "may": ["document:read"],
        "obligations": ["write_down"],
        "has_content": True,
        "title": "Dispensation",
        "content_type": "application/fhir+json",
        "size": 2048,
        "deposited_at": "2026-10-01T08:01:00Z",
    },
    "medicines": [_CLARITHROMYCIN],
}
PAGE = {
    "lines": [_LINE],
    "next": "2026-10-01T08:00:00Z.5d0c5f3c-2a0e-4b7d-8a57-3f5a6d0c9b11",
    "repeated": [
        {
            "atc": "J01FA09",
            "level": 5,
            "labels": ["Clarithromycine 500 mg", "Zeclar 500 mg"],
            "overlap": {
                "begins": "2026-10-03",
                "ends": "2026-10-07",
                "presumed": False,
                "documents": [_FIRST, _SECOND],
            },
        }
    ],
    "interactions": [
        {
            "level": "contraindicated",
            "text": {"fr": "Contre-indication", "en": "Contraindicated"},
            "between": [{"atc": "M04AC01", "label": "Colchicine"}, {"atc": "J01FA09", "label": "Clarithromycine"}],
            "source": _THESAURUS,
            "overlap": {
                "begins": "2026-10-01",
                "ends": "2026-10-07",
                "presumed": True,
                "documents": [_FIRST, _SECOND],
            },
        }
    ],
    "examined": {
        "documents": 41,
        "unstructured": 12,
        "complete": True,
        "interactions": {"pairs": 65, "codes": 48, "sources": [_THESAURUS]},
    },
}
