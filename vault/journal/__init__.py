"""The journal: one append-only ledger of every decision and every change of rights, provable to the patient."""
