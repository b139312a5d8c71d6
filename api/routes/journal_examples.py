"""What the journal answers, shown in the description of the service."""

_DOSSIER = "5b0c2e4e-7f0b-4b52-9b6e-0c5d8f3a1d11"
_DOCUMENT = "7c0f6a52-3a3e-4f0e-8a36-2b1f0d9c4e77"
_REVISION = "9f2c7d5e0b1a4c3d8e6f7a9b0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d"

EXAMPLES = {
    "an emergency, and a refusal before it": {
        "entries": [
            {
                "entry": 8,
                "at": "2026-11-02T09:31:40.220114Z",
                "subject": {"type": "professional", "id": "10001234565"},
                "action": "document:read",
                "resource": {"type": "document", "id": _DOCUMENT},
                "mode": "break_glass",
                "decision": True,
                "rule": "break-glass",
                "revision": _REVISION,
                "client": "viewer",
                "request_id": "r-2",
                "text": {
                    "fr": "Une personne exerçant une profession de santé (médecine, RPPS\u00a010001234565, structure"
                    "\u00a0750000002) a consulté un document du dossier, en urgence, par bris de glace (motif donné"
                    "\u00a0: «\u00a0Patient inconscient\u00a0»).",
                    "en": "A health professional (physician, RPPS 10001234565, organization 750000002) read a document "
                    "of the dossier, in an emergency, by breaking the glass (reason given: “Patient inconscient”).",
                },
                "organization": "750000002",
                "reason": "Patient inconscient",
                "obligations": ["notify_patient", "notify_treating_physicians", "write_down"],
            },
            {
                "entry": 7,
                "at": "2026-11-02T09:30:15.123456Z",
                "subject": {"type": "professional", "id": "10001234565"},
                "action": "access:list",
                "resource": {"type": "dossier", "id": _DOSSIER},
                "mode": "normal",
                "decision": False,
                "rule": "not-permitted",
                "revision": _REVISION,
                "client": "viewer",
                "request_id": "r-1",
                "text": {
                    "fr": "Une personne exerçant une profession de santé (médecine, RPPS\u00a010001234565) a demandé à "
                    "consulter la liste des personnes et des structures qui ont accès au dossier\u202f; la demande a "
                    "été refusée\u00a0: «\u00a0Aucune règle ne donne ce droit.\u00a0»",
                    "en": "A health professional (physician, RPPS 10001234565) asked to look at the list of who has "
                    "access to the dossier; the request was refused: “No rule gives this right.”",
                },
            },
        ],
        "next": 7,
    }
}
