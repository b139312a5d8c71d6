# How far a dossier is open to a subject, and which of its documents that opens.
package dmp.rules

# A treating physician reads everything, masked or not. (L1111-16; seed 004)
opening(subject, dossier) := "everything" if {
	not refused(subject, dossier)
	subject.id in dossier.treating_physicians
} else := "unmasked" if {
	# The care team, once the holder consented to it. (R1111-46)
	not refused(subject, dossier)
	dossier.care_team_consent
	subject.id in dossier.care_team
} else := "nothing"

# Complementary insurers have no access of any kind. (L1111-18)
refused(subject, _) if subject.kind == "complementary_insurer"

# A professional whom the patient blocked. (seed 002; seed 004)
refused(subject, dossier) if subject.id in dossier.blocked

# A mask hides a document from professionals but the treating physician. (R1111-49; seed 004)
shows("everything", _) := true

shows("unmasked", document) := document.masked == false

shows("nothing", _) := false
