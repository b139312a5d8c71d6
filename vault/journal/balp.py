"""The patterns of IHE Basic Audit Log Patterns 1.1.4 (BALP, https://profiles.ihe.net/ITI/BALP), one for each action.

A pattern fixes what kind of event it is and how client, service and user took part. Its profile fixes success as the
outcome, so that a refusal follows the pattern and does not claim the profile: BALP, "a failure AuditEvent may follow
this pattern, but would not be a successful outcome and should have an OperationOutcome". Its profile of authorization
decisions (AuthZconsent) is never claimed: it asks for an organization and a Consent resource, which most decisions do
not have, and is closed to the document that was asked for.
"""

from dataclasses import dataclass

from models.vocabulary import Action

_PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
HL7 = "http://terminology.hl7.org/CodeSystem"

_PARTICIPATION = f"{HL7}/v3-ParticipationType"
_DECISIONS = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"


@dataclass(frozen=True, slots=True)
class Code:
    """A coding."""

    system: str
    code: str
    display: str

    def coding(self) -> dict[str, str]:
        return {"system": self.system, "code": self.code, "display": self.display}


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is fixed for a kind of event: its codes and its verb (one of C, R, U, D, E), and the types of its agents.

    `about_patient` and `about_nobody` are the profiles of successes where the patient is known, and where not.
    """

    about_patient: str | None
    about_nobody: str | None
    type: Code
    subtype: Code
    verb: str
    client: Code
    server: Code
    user: Code


_REST = Code(f"{HL7}/audit-event-type", "rest", "Restful Operation")
_SECURITY_ALERT = Code(DICOM, "110113", "Security Alert")
_SOURCE = Code(DICOM, "110153", "Source Role ID")
_DESTINATION = Code(DICOM, "110152", "Destination Role ID")
_APPLICATION = Code(DICOM, "110150", "Application")
_CUSTODIAN = Code(f"{HL7}/provenance-participant-type", "custodian", "Custodian")
_AUTHORIZER = Code(f"{HL7}/extra-security-role-type", "authserver", "authorization server")
_RECIPIENT = Code(_PARTICIPATION, "IRCP", "information recipient")
_AUTHOR = Code(_PARTICIPATION, "AUT", "author (originator)")


def _interaction(name: str) -> Code:
    return Code("http://hl7.org/fhir/restful-interaction", name, name)


READ = Pattern(
    f"{_PROFILE}PatientRead", f"{_PROFILE}Read", _REST, _interaction("read"), "R", _DESTINATION, _SOURCE, _RECIPIENT
)
CREATE = Pattern(
    f"{_PROFILE}PatientCreate", f"{_PROFILE}Create", _REST, _interaction("create"), "C", _SOURCE, _DESTINATION, _AUTHOR
)
UPDATE = Pattern(
    f"{_PROFILE}PatientUpdate", f"{_PROFILE}Update", _REST, _interaction("update"), "U", _SOURCE, _DESTINATION, _AUTHOR
)
DELETE = Pattern(
    f"{_PROFILE}PatientDelete",
    f"{_PROFILE}Delete",
    _REST,
    _interaction("delete"),
    "D",
    _APPLICATION,
    _CUSTODIAN,
    _AUTHOR,
)
QUERY = Pattern(
    f"{_PROFILE}PatientQuery", f"{_PROFILE}Query", _REST, _interaction("search"), "E", _SOURCE, _DESTINATION, _RECIPIENT
)
DISCLOSURE = Pattern(
    f"{_PROFILE}PrivacyDisclosure.Source",
    None,
    Code(DICOM, "110106", "Export"),
    Code(f"{HL7}/iso-21089-lifecycle", "disclose", "Disclose Record Lifecycle Event"),
    "R",
    _DESTINATION,
    _SOURCE,
    _RECIPIENT,
)
DECISION = Pattern(
    None,
    None,
    _SECURITY_ALERT,
    Code(_DECISIONS, "AuthZ-Consent", "Authorization Decision using Roles and Consent"),
    "E",
    _APPLICATION,
    _AUTHORIZER,
    _RECIPIENT,
)
"""Several decisions asked for together, or what is no action: nothing but decided."""

CONFIGURATION = Pattern(
    None,
    None,
    _SECURITY_ALERT,
    Code(DICOM, "110129", "Security Configuration"),
    "E",
    _APPLICATION,
    _AUTHORIZER,
    _AUTHOR,
)
"""Other rules decide from now on."""

PATTERNS = {
    Action.DOSSIER_EXISTS: QUERY,
    Action.DOSSIER_OPEN: CREATE,
    Action.DOSSIER_CLOSE: UPDATE,
    Action.DOSSIER_REOPEN: UPDATE,
    Action.DOSSIER_ERASE: DELETE,
    Action.DOSSIER_SUSPEND: UPDATE,
    Action.DOSSIER_EXPORT: DISCLOSURE,
    Action.DOCUMENT_DEPOSIT: CREATE,
    Action.DOCUMENT_LIST: QUERY,
    Action.JOURNAL_READ: QUERY,
    Action.ACCESS_LIST: QUERY,
    Action.ACCESS_GRANT: UPDATE,
    Action.ACCESS_REVOKE: UPDATE,
    Action.ACCESS_BLOCK: UPDATE,
    Action.ACCESS_UNBLOCK: UPDATE,
    Action.TREATING_PHYSICIAN_DECLARE: UPDATE,
    Action.TREATING_PHYSICIAN_END: UPDATE,
    Action.EMERGENCY_SET: UPDATE,
    Action.CARE_TEAM_CONSENT: UPDATE,
    Action.MESSAGE_SEND: CREATE,
    Action.DOCUMENT_READ: READ,
    Action.DOCUMENT_REPLACE: UPDATE,
    Action.DOCUMENT_MASK: UPDATE,
    Action.DOCUMENT_UNMASK: UPDATE,
    Action.DOCUMENT_REVEAL: UPDATE,
    Action.DOCUMENT_ARCHIVE: UPDATE,
    Action.DOCUMENT_RESTORE: UPDATE,
    Action.DOCUMENT_DELETE: DELETE,
    Action.DOCUMENT_CONTEST: UPDATE,
    Action.MESSAGE_READ: READ,
}
